using System.Reflection;
using Orleans.Concurrency;
using Orleans.Serialization.Invocation;

namespace Orleans.Runtime;

/// <summary>The names that grain classes have in grain ids.</summary>
internal static class GrainTypeNames
{
    private const string Suffix = "grain";

    public static GrainType Of(Type type)
    {
        if (type.GetCustomAttribute<GrainTypeAttribute>() is { } named)
        {
            return GrainType.Create(named.GrainType);
        }

#pragma warning disable CA1308 // The convention of the tables is lower case.
        var name = type.Name.ToLowerInvariant();
#pragma warning restore CA1308
        return GrainType.Create(name.Length > Suffix.Length && name.EndsWith(Suffix, StringComparison.Ordinal) ? name[..^Suffix.Length] : name);
    }
}

/// <summary>The predicate that <see cref="MayInterleaveAttribute"/> names.</summary>
internal static class InterleavePredicate
{
    public static Func<object, IInvokable, bool>? Of(Type type, RuntimeLog log)
    {
        if (type.GetCustomAttribute<MayInterleaveAttribute>() is not { } attribute)
        {
            return null;
        }

        var method = type.GetMethod(
            attribute.CallbackMethodName,
            BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.FlattenHierarchy,
            [typeof(IInvokable)]);
        if (method is null || method.ReturnType != typeof(bool))
        {
            throw new InvalidOperationException($"{type} has no method 'bool {attribute.CallbackMethodName}(IInvokable request)', which its [MayInterleave] names.");
        }

        var ofClass = method.IsStatic ? method.CreateDelegate<Func<IInvokable, bool>>() : null;
        return (grain, request) =>
        {
            try
            {
                return ofClass?.Invoke(request) ?? (bool)method.Invoke(grain, [request])!;
            }
            catch (Exception exception)
            {
                log.PredicateFailed(exception, method.Name, type);
                return false;
            }
        };
    }
}
