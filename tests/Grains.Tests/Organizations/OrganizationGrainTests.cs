using System.Collections.Concurrent;
using System.Collections.Immutable;
using AgentPlatform.Fakes.Time;
using AgentPlatform.Grains.Billing;
using AgentPlatform.Grains.Organizations;
using AgentPlatform.Organizations;
using Microsoft.Extensions.Logging.Abstractions;

namespace AgentPlatform.Grains.Tests.Organizations;

public sealed class OrganizationGrainTests
{
    private static readonly Guid Conversation = Guid.CreateVersion7();
    private readonly FakeTimeProvider _clock = new();

    [Fact]
    public async Task Every_subscriber_hears_which_conversations_changed()
    {
        var grain = Grain();
        var (one, other) = (new Process(), new Process());
        await grain.Subscribe(one);
        await grain.Subscribe(other);
        await grain.Subscribe(one);
        await grain.Changed([Conversation]);
        Assert.Equal([Conversation], one.Heard);
        Assert.Equal([Conversation], other.Heard);
        await grain.Unsubscribe(other);
        await grain.Changed([Conversation]);
        Assert.Equal((2, 1), (one.Heard.Count, other.Heard.Count));
    }

    [Fact]
    public async Task A_subscription_that_is_not_renewed_ends()
    {
        var grain = Grain();
        var (faithful, gone) = (new Process(), new Process());
        await grain.Subscribe(faithful);
        await grain.Subscribe(gone);
        _clock.Advance(IOrganizationGrain.SubscriptionLifetime / 2);
        await grain.Subscribe(faithful);
        _clock.Advance(IOrganizationGrain.SubscriptionLifetime / 2);
        await grain.Changed([Conversation]);
        Assert.Equal((1, 0), (faithful.Heard.Count, gone.Heard.Count));
        Assert.Equal(1, grain.Subscriptions);
    }

    [Fact]
    public async Task A_process_that_can_not_be_reached_keeps_nothing_from_the_others()
    {
        var grain = Grain();
        var healthy = new Process();
        await grain.Subscribe(new Process { IsBroken = true });
        await grain.Subscribe(healthy);
        await grain.Changed([Conversation]);
        Assert.Single(healthy.Heard);
        Assert.Equal(1, grain.Subscriptions);
    }

    private OrganizationGrain Grain() => new(null!, null!, Microsoft.Extensions.Options.Options.Create(new UsageOptions()), _clock, NullLogger<OrganizationGrain>.Instance);

    private sealed class Process : IOrganizationObserver
    {
        public ConcurrentQueue<Guid> Heard { get; } = new();

        public bool IsBroken { get; init; }

        public Task Changed(ImmutableArray<Guid> conversationIds)
        {
            foreach (var id in conversationIds)
            {
                Heard.Enqueue(id);
            }
            return IsBroken ? Task.FromException(new InvalidOperationException("gone")) : Task.CompletedTask;
        }
    }
}
