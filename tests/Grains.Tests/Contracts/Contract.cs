using System.Collections.Immutable;
using System.Reflection;
using AgentPlatform.Conversations;
using AgentPlatform.Grains.Conversations;

namespace AgentPlatform.Grains.Tests.Contracts;

/// <summary>What grains and observers pass each other: their interfaces, and every type that a call can carry from one process to another.</summary>
internal static class Contract
{
    private static readonly HashSet<Type> Known =
    [
        typeof(bool), typeof(byte), typeof(int), typeof(long), typeof(double), typeof(decimal), typeof(string), typeof(byte[]),
        typeof(Guid), typeof(DateTimeOffset), typeof(DateTime), typeof(DateOnly), typeof(TimeSpan), typeof(CancellationToken),
    ];

    private static readonly HashSet<Type> KnownGenerics = [typeof(Nullable<>), typeof(ImmutableArray<>), typeof(ImmutableDictionary<,>)];

    /// <summary>Every interface of this product that is called through a reference.</summary>
    public static IReadOnlyList<Type> Interfaces { get; } =
    [
        .. new[] { typeof(IConversationGrain), typeof(IConversationWork) }.SelectMany(static type => type.Assembly.GetTypes()).Distinct()
            .Where(static type => type.IsInterface && typeof(IAddressable).IsAssignableFrom(type)),
    ];

    /// <summary>The types of this product that calls carry, those inside of others included.</summary>
    public static IReadOnlyList<Type> Types { get; } = Carried();

    /// <summary>The members that hold a value's state: fields, and properties that are kept in one.</summary>
    public static IEnumerable<(MemberInfo Member, Type Type)> State(Type type)
    {
        foreach (var field in type.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly))
        {
            var property = field.Name.IndexOf('>') is > 0 and var end ? type.GetProperty(field.Name[1..end]) : null;
            yield return ((MemberInfo?)property ?? field, field.FieldType);
        }
    }

    /// <summary>True for what Orleans carries by itself.</summary>
    public static bool IsKnown(Type type) =>
        Known.Contains(type) || type.IsEnum || (type.IsInterface && typeof(IAddressable).IsAssignableFrom(type)) || (type.IsGenericType && KnownGenerics.Contains(type.GetGenericTypeDefinition()));

    private static List<Type> Carried()
    {
        var found = new HashSet<Type>();
        var open = new Stack<Type>();
        foreach (var method in Interfaces.SelectMany(static type => type.GetMethods().Where(static method => !method.IsStatic)))
        {
            open.Push(method.ReturnType.IsGenericType ? method.ReturnType.GenericTypeArguments[0] : typeof(bool));
            foreach (var parameter in method.GetParameters())
            {
                open.Push(parameter.ParameterType);
            }
        }
        while (open.TryPop(out var type))
        {
            foreach (var argument in type.IsGenericType ? type.GenericTypeArguments : [])
            {
                open.Push(argument);
            }
            if (!IsKnown(type) && found.Add(type))
            {
                foreach (var (_, inside) in State(type))
                {
                    open.Push(inside);
                }
            }
        }
        return [.. found.OrderBy(static type => type.FullName, StringComparer.Ordinal)];
    }
}
