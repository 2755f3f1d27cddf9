using System.Globalization;
using System.Reflection;
using System.Text;
using Orleans.Concurrency;

namespace AgentPlatform.Grains.Tests.Contracts;

/// <summary>All that silos of two versions have to agree about, as text: the names of interfaces and methods with what they carry, the numbers of members, the values of enumerations.</summary>
internal static class ContractText
{
    public static string Write()
    {
        var text = new StringBuilder();
        foreach (var type in Contract.Interfaces.OrderBy(Name, StringComparer.Ordinal))
        {
            text.Append(CultureInfo.InvariantCulture, $"interface {Name(type)}\n");
            foreach (var method in type.GetMethods().Where(static method => !method.IsStatic).OrderBy(Name, StringComparer.Ordinal))
            {
                var oneWay = method.GetCustomAttribute<OneWayAttribute>() is null ? "" : " one-way";
                text.Append(CultureInfo.InvariantCulture, $"    {Name(method)}({string.Join(", ", method.GetParameters().Select(static parameter => Name(parameter.ParameterType)))}) {Name(method.ReturnType)}{oneWay}\n");
            }
        }
        foreach (var type in Contract.Types.OrderBy(Name, StringComparer.Ordinal))
        {
            text.Append(CultureInfo.InvariantCulture, $"type {Name(type)}\n");
            foreach (var (member, kind) in Contract.State(type).OrderBy(static state => Id(state.Member)))
            {
                text.Append(CultureInfo.InvariantCulture, $"    {Id(member)} {member.Name} {Name(kind)}\n");
            }
        }
        foreach (var type in Enumerations().OrderBy(Name, StringComparer.Ordinal))
        {
            text.Append(CultureInfo.InvariantCulture, $"enum {Name(type)}\n");
            foreach (var value in Enum.GetValuesAsUnderlyingType(type))
            {
                text.Append(CultureInfo.InvariantCulture, $"    {value} {Enum.GetName(type, value)}\n");
            }
        }
        return text.ToString();
    }

    private static IEnumerable<Type> Enumerations() =>
        Contract.Types.SelectMany(Contract.State).Select(static state => state.Type)
            .Concat(Contract.Interfaces.SelectMany(static type => type.GetMethods()).SelectMany(static method => method.GetParameters().Select(static parameter => parameter.ParameterType).Append(method.ReturnType)))
            .SelectMany(static type => type.GenericTypeArguments.Append(type)).Where(static type => type.IsEnum).Distinct();

    private static uint Id(MemberInfo member) => member.GetCustomAttribute<IdAttribute>()!.Id;

    private static string Name(MethodInfo method) => method.GetCustomAttribute<AliasAttribute>()!.Alias;

    private static string Name(Type type)
    {
        if (type.IsGenericType)
        {
            return $"{type.Name[..type.Name.IndexOf('`', StringComparison.Ordinal)]}<{string.Join(", ", type.GenericTypeArguments.Select(Name))}>";
        }

        return type.GetCustomAttribute<AliasAttribute>()?.Alias ?? type.Name;
    }
}
