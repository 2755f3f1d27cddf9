using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Text.Json;
using AgentPlatform.Grains.Tests.Contracts;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Serialization;

namespace AgentPlatform.Cluster.Tests;

/// <summary>What calls between silos carry arrives as it was sent.</summary>
public sealed class WireTests : IDisposable
{
    private readonly ServiceProvider _services = new ServiceCollection().AddSerializer().BuildServiceProvider();

    public void Dispose() => _services.Dispose();

    public static TheoryData<Type> Types => [.. Contract.Types];

    [Theory]
    [MemberData(nameof(Types))]
    public void A_record_comes_out_as_it_went_in(Type type)
    {
        var serializer = _services.GetRequiredService<Serializer>();
        Assert.True(serializer.CanSerialize(type));
        var sent = Sample(type, 0)!;
        var received = serializer.Deserialize<object>(serializer.SerializeToArray(sent));
        Assert.IsType(type, received);
        Assert.Equal(JsonSerializer.Serialize(sent, type), JsonSerializer.Serialize(received, type));
    }

    [Fact]
    public void A_failure_of_the_database_is_known_as_such_by_the_silo_that_asked()
    {
        var serializer = _services.GetRequiredService<Serializer>();
        var received = serializer.Deserialize<object>(serializer.SerializeToArray<object>(new StorageUnavailableException("Postgres can't be reached.", new TimeoutException("too long"))));
        Assert.Equal("Postgres can't be reached.", Assert.IsType<StorageUnavailableException>(received).Message);
    }

    /// <summary>A value that differs from the default one in each of its members.</summary>
    private static object? Sample(Type type, int number) => type switch
    {
        _ when type == typeof(string) => $"text {number}",
        _ when type == typeof(bool) => true,
        _ when type == typeof(int) => number + 1,
        _ when type == typeof(long) => (long)int.MaxValue + number + 1,
        _ when type == typeof(decimal) => number + 0.5m,
        _ when type == typeof(Guid) => new Guid(number + 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11),
        _ when type == typeof(TimeSpan) => TimeSpan.FromMilliseconds(number + 1),
        _ when type == typeof(DateTimeOffset) => new DateTimeOffset(2026, 5, 31, 23, 59, number, TimeSpan.FromHours(2)),
        _ when type.IsEnum => Enum.GetValues(type).GetValue(1),
        _ when Nullable.GetUnderlyingType(type) is { } inside => Sample(inside, number),
        _ when type.IsGenericType && type.GetGenericTypeDefinition() == typeof(ImmutableArray<>) => Two(type.GenericTypeArguments[0], number),
        _ when Contract.Types.Contains(type) => Record(type),
        _ => throw new NotSupportedException($"This test knows no sample of {type}."),
    };

    private static object Record(Type type)
    {
        var record = RuntimeHelpers.GetUninitializedObject(type);
        var number = 0;
        foreach (var (member, inside) in Contract.State(type))
        {
            type.GetProperty(member.Name)!.SetValue(record, Sample(inside, ++number));
        }
        return record;
    }

    private static object Two(Type type, int number)
    {
        var values = Array.CreateInstance(type, 2);
        values.SetValue(Sample(type, number), 0);
        values.SetValue(Sample(type, number + 1), 1);
        return typeof(ImmutableArray).GetMethods().Single(static method => method.Name == nameof(ImmutableArray.Create) && method.GetParameters() is [{ ParameterType.IsArray: true }])
            .MakeGenericMethod(type).Invoke(null, [values])!;
    }
}
