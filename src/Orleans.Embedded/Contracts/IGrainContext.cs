namespace Orleans.Runtime;

/// <summary>An activation, seen from its grain.</summary>
public interface IGrainContext : IEquatable<IGrainContext>
{
    /// <summary>A reference to the grain, of no interface yet.</summary>
    GrainReference GrainReference { get; }

    /// <summary>The grain's id.</summary>
    GrainId GrainId { get; }

    /// <summary>The grain object, once it is made.</summary>
    object? GrainInstance { get; }

    /// <summary>The services of this activation: a scope that ends with it.</summary>
    IServiceProvider ActivationServices { get; }

    /// <summary>Lets parts of the grain take part in its activation and deactivation.</summary>
    IGrainLifecycle ObservableLifecycle { get; }

    /// <summary>Completes when the activation is gone.</summary>
    Task Deactivated { get; }

    /// <summary>Ends this activation when its running requests are done; waiting ones go to the next activation.</summary>
    void Deactivate(DeactivationReason deactivationReason, CancellationToken cancellationToken = default);

    /// <summary>Keeps an object with the activation.</summary>
    void SetComponent<TComponent>(TComponent? value)
        where TComponent : class;

    /// <summary>An object kept with the activation, or the grain itself where it is of that type.</summary>
    TComponent? GetComponent<TComponent>()
        where TComponent : class;
}

/// <summary>Gives the activation in which the calling code runs.</summary>
public interface IGrainContextAccessor
{
    /// <summary>The activation, or null outside grains.</summary>
    IGrainContext GrainContext { get; }
}
