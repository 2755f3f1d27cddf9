using System.Collections.Concurrent;
using System.Reflection;

namespace Orleans.Runtime;

/// <summary>Finds the class behind an interface and makes references.</summary>
internal sealed class ReferenceFactory(SiloRuntime runtime)
{
    private readonly ConcurrentDictionary<Type, ReferenceTarget> _defaults = new();
    private readonly ConcurrentDictionary<(Type Interface, GrainClass Class), ReferenceTarget> _targets = new();

    public GrainReference Of(Type interfaceType, string key, string? classNamePrefix)
    {
        if (!string.IsNullOrEmpty(classNamePrefix))
        {
            return Of(interfaceType, ClassByPrefix(interfaceType, classNamePrefix), key);
        }

        if (!_defaults.TryGetValue(interfaceType, out var target))
        {
            target = _defaults.GetOrAdd(interfaceType, Target(interfaceType, DefaultClass(interfaceType)));
        }

        return target.Create(key);
    }

    public GrainReference Of(Type interfaceType, GrainClass type, string key) => Target(interfaceType, type).Create(key);

    public GrainReference Untyped(GrainClass type, string key) => Target(typeof(IAddressable), type).Create(key);

    private ReferenceTarget Target(Type interfaceType, GrainClass type)
    {
        if (_targets.TryGetValue((interfaceType, type), out var known))
        {
            return known;
        }

        if (!type.IsObserver && !interfaceType.IsAssignableFrom(type.ClassType))
        {
            throw new InvalidCastException($"The grain class {type.ClassType} doesn't implement {interfaceType}.");
        }

        var create = interfaceType == typeof(IAddressable)
            ? static (target, key) => new GrainReference(target, key)
            : ReferenceEmitter.For(interfaceType);
        return _targets.GetOrAdd((interfaceType, type), new ReferenceTarget(type, interfaceType, create));
    }

    private GrainClass DefaultClass(Type interfaceType)
    {
        var candidates = Implementations(interfaceType);
        if (candidates.Count == 1)
        {
            return candidates[0];
        }

        if (interfaceType.GetCustomAttribute<DefaultGrainTypeAttribute>() is { } named
            && candidates.Find(candidate => candidate.Name.ToString() == named.GrainType) is { } byAttribute)
        {
            return byAttribute;
        }

        // The convention: of several classes, IThing means Thing.
        if (interfaceType.Name is ['I', .. var simpleName] && candidates.FindAll(candidate => candidate.ClassType.Name == simpleName) is [var byName])
        {
            return byName;
        }

        throw new ArgumentException(candidates.Count == 0
            ? $"No grain class implements {interfaceType}. The runtime looked in: {runtime.SearchedAssemblies}."
            : $"Several grain classes implement {interfaceType}: {string.Join(", ", candidates.Select(candidate => candidate.ClassType.FullName))}. Say which with a class name prefix.");
    }

    private GrainClass ClassByPrefix(Type interfaceType, string prefix)
    {
        var candidates = Implementations(interfaceType);
        if (candidates.Find(candidate => candidate.ClassType.FullName == prefix) is { } exact)
        {
            return exact;
        }

        var matching = candidates.FindAll(candidate => candidate.ClassType.FullName?.StartsWith(prefix, StringComparison.Ordinal) == true);
        return matching is [var only]
            ? only
            : throw new ArgumentException($"{matching.Count} grain classes implement {interfaceType} and begin with '{prefix}'; one must.");
    }

    private List<GrainClass> Implementations(Type interfaceType) =>
        [.. runtime.Classes.Where(type => interfaceType.IsAssignableFrom(type.ClassType))];
}
