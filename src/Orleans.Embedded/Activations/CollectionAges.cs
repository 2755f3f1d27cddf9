using System.Reflection;
using Orleans.Configuration;

namespace Orleans.Runtime;

/// <summary>How long activations of a class may be idle.</summary>
internal static class CollectionAges
{
    /// <summary>The limit of a class; null for ever.</summary>
    public static TimeSpan? Of(Type type, GrainCollectionOptions options)
    {
        if (type.IsDefined(typeof(KeepAliveAttribute)))
        {
            return null;
        }

        if (type.GetCustomAttribute<CollectionAgeLimitAttribute>() is { } attribute)
        {
            return attribute.AlwaysActive ? null : attribute.AgeLimit;
        }

        return options.ClassSpecificCollectionAge.TryGetValue(type.FullName!, out var age) ? age : options.CollectionAge;
    }
}
