using Orleans.Runtime;

namespace Orleans.Placement
{
    /// <summary>Says on which silo a grain is activated. With one process all of these mean the same.</summary>
    [AttributeUsage(AttributeTargets.Class, AllowMultiple = false)]
    public abstract class PlacementAttribute : Attribute
    {
        /// <summary>Keeps the strategy.</summary>
        protected PlacementAttribute(PlacementStrategy placement)
        {
            ArgumentNullException.ThrowIfNull(placement);
            PlacementStrategy = placement;
        }

        /// <summary>The strategy.</summary>
        public PlacementStrategy PlacementStrategy { get; }
    }

    /// <summary>On the caller's silo.</summary>
    public sealed class PreferLocalPlacementAttribute() : PlacementAttribute(new NamedPlacement("PreferLocalPlacement"));

    /// <summary>Anywhere.</summary>
    public sealed class RandomPlacementAttribute() : PlacementAttribute(new NamedPlacement("RandomPlacement"));

    /// <summary>Where the fewest activations are.</summary>
    public sealed class ActivationCountBasedPlacementAttribute() : PlacementAttribute(new NamedPlacement("ActivationCountBasedPlacement"));

    /// <summary>By a hash of the grain id.</summary>
    public sealed class HashBasedPlacementAttribute() : PlacementAttribute(new NamedPlacement("HashBasedPlacement"));

    /// <summary>Where memory and processor are free.</summary>
    public sealed class ResourceOptimizedPlacementAttribute() : PlacementAttribute(new NamedPlacement("ResourceOptimizedPlacement"));

    internal sealed class NamedPlacement(string name) : PlacementStrategy
    {
        public override string ToString() => name;
    }
}

namespace Orleans.Runtime
{
    /// <summary>How a silo is chosen for a new activation; meaningless with one process.</summary>
    public abstract class PlacementStrategy;
}
