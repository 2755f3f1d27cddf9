using System.Reflection;
using System.Text.RegularExpressions;
using AgentPlatform.Fakes;
using AgentPlatform.Grains.Conversations;
using Orleans.Concurrency;

namespace AgentPlatform.Grains.Tests.Contracts;

/// <summary>
/// What several silos need of the grains, and one process doesn't show: names and numbers that stay the same on the wire, and types that can travel.
/// </summary>
public sealed partial class ContractTests
{
    [Fact]
    public void Every_interface_and_method_has_a_name_of_its_own_on_the_wire()
    {
        Assert.NotEmpty(Contract.Interfaces);
        Assert.All(Contract.Interfaces, static type =>
        {
            Assert.NotNull(type.GetCustomAttribute<AliasAttribute>());
            var methods = type.GetMethods().Where(static method => !method.IsStatic).ToList();
            Assert.All(methods, static method => Assert.NotNull(method.GetCustomAttribute<AliasAttribute>()));
            Assert.Distinct(methods.Select(static method => method.GetCustomAttribute<AliasAttribute>()!.Alias));
        });
        Assert.Distinct(Contract.Interfaces.Concat(Contract.Types).Select(static type => type.GetCustomAttribute<AliasAttribute>()?.Alias ?? type.FullName!));
    }

    [Fact]
    public void A_method_returns_a_task_and_one_that_nobody_waits_for_returns_nothing() => Assert.All(
        Contract.Interfaces.SelectMany(static type => type.GetMethods()).Where(static method => !method.IsStatic),
        static method =>
        {
            var type = method.ReturnType.IsGenericType ? method.ReturnType.GetGenericTypeDefinition() : method.ReturnType;
            Type[] allowed = method.GetCustomAttribute<OneWayAttribute>() is null ? [typeof(Task), typeof(ValueTask), typeof(Task<>), typeof(ValueTask<>)] : [typeof(Task), typeof(ValueTask)];
            Assert.Contains(type, allowed);
        });

    [Fact]
    public void Every_type_that_crosses_a_silo_says_how_it_is_written()
    {
        Assert.NotEmpty(Contract.Types);
        Assert.All(Contract.Types, static type =>
        {
            Assert.NotNull(type.GetCustomAttribute<GenerateSerializerAttribute>());
            Assert.NotNull(type.GetCustomAttribute<AliasAttribute>());
            var state = Contract.State(type).ToList();
            // A member without a number is left out of what travels, and nobody is told.
            Assert.All(state, static member => Assert.NotNull(member.Member.GetCustomAttribute<IdAttribute>()));
            Assert.Distinct(state.Select(static member => member.Member.GetCustomAttribute<IdAttribute>()!.Id));
        });
    }

    /// <summary>
    /// While silos are replaced one by one, two versions talk to each other. What is in the list stays as it is: a method or a member is added with a name or number of its own, and what
    /// is taken away or changed needs a version in between that knows both.
    /// </summary>
    [Fact]
    public async Task What_silos_of_two_versions_agree_about_changes_on_purpose_only() => Assert.Null(await MadeFile.Difference("tests/Grains.Tests/Contracts/contract.txt", ContractText.Write()));

    /// <summary>Waiting with anything but the captured context leaves the grain's turn, where another call may be changing the same state.</summary>
    [Fact]
    public void A_grain_goes_on_in_its_own_turn_after_waiting()
    {
        var files = typeof(ConversationGrain).Assembly.GetTypes().Where(static type => type.IsSubclassOf(typeof(Grain)))
            .SelectMany(static type => Directory.GetFiles(Path.Combine(RepositoryRoot.Path, "src", "Grains"), $"{type.Name}*.cs", SearchOption.AllDirectories)).ToList();
        Assert.NotEmpty(files);
        Assert.All(files, static file => Assert.All(
            Elsewhere().Matches(File.ReadAllText(file)), static match => Assert.Contains(nameof(ConfigureAwaitOptions.ContinueOnCapturedContext), match.Value, StringComparison.Ordinal)));
    }

    [GeneratedRegex(@"\.ConfigureAwait\((?!true)[^)]*\)")]
    private static partial Regex Elsewhere();
}
