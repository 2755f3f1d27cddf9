using System.Reflection;
using System.Runtime.ExceptionServices;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Storage;

namespace Orleans.Runtime;

/// <summary>
/// Makes grain objects. What the container holds once for the whole process is looked up once; an activation gets a
/// service scope of its own only where a parameter needs one, as a scope weighs more than the rest of an idle activation.
/// </summary>
internal sealed class GrainActivator
{
    private readonly ConstructorInvoker _constructor;
    private readonly Func<Activation, object?>[] _arguments;

    public GrainActivator(SiloRuntime runtime, Type type)
    {
        var constructors = type.GetConstructors();
        var constructor = constructors.Length == 1
            ? constructors[0]
            : Array.Find(constructors, candidate => candidate.IsDefined(typeof(ActivatorUtilitiesConstructorAttribute)))
                ?? throw new InvalidOperationException($"{type} needs exactly one public constructor, or one marked with [ActivatorUtilitiesConstructor].");
        _constructor = ConstructorInvoker.Create(constructor);
        _arguments = [.. constructor.GetParameters().Select(parameter => Argument(runtime, type, parameter))];
    }

    public object Create(Activation activation)
    {
        try
        {
            return _arguments.Length == 0 ? _constructor.Invoke() : _constructor.Invoke(Values(activation).AsSpan());
        }
        catch (TargetInvocationException exception) when (exception.InnerException is not null)
        {
            ExceptionDispatchInfo.Throw(exception.InnerException);
            throw;
        }
    }

    private object?[] Values(Activation activation)
    {
        var values = new object?[_arguments.Length];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = _arguments[i](activation);
        }

        return values;
    }

    private static Func<Activation, object?> Argument(SiloRuntime runtime, Type type, ParameterInfo parameter)
    {
        if (parameter.GetCustomAttribute<PersistentStateAttribute>() is { } state)
        {
            return PersistentStateFactory.For(parameter.ParameterType, state);
        }

        if (parameter.ParameterType == typeof(IGrainContext))
        {
            return static activation => activation;
        }

        var key = parameter.GetCustomAttribute<FromKeyedServicesAttribute>()?.Key;
        if (runtime.IsSingleton(parameter.ParameterType, key))
        {
            var value = Resolve(runtime.Services, type, parameter, key);
            return _ => value;
        }

        return activation => Resolve(activation.ActivationServices, type, parameter, key);
    }

    private static object? Resolve(IServiceProvider services, Type type, ParameterInfo parameter, object? key)
    {
        var value = key is null
            ? services.GetService(parameter.ParameterType)
            : ((IKeyedServiceProvider)services).GetKeyedService(parameter.ParameterType, key);
        if (value is not null)
        {
            return value;
        }

        return parameter.HasDefaultValue
            ? parameter.DefaultValue
            : throw new InvalidOperationException($"No service of type {parameter.ParameterType} is registered for the parameter '{parameter.Name}' of {type}.");
    }
}
