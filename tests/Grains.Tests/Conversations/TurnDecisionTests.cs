using AgentPlatform.Billing;
using AgentPlatform.Conversations;
using AgentPlatform.Grains.Agents;
using AgentPlatform.Grains.Conversations;
using static AgentPlatform.Grains.Tests.Conversations.Samples;

namespace AgentPlatform.Grains.Tests.Conversations;

public sealed class TurnDecisionTests
{
    private static readonly ConversationState Running = Receive(Conversation, WhatsApp, Now, Text("a")).Next;

    [Fact]
    public void An_answer_becomes_a_message_that_waits_to_be_sent()
    {
        var plan = Complete(Running, Running.Turn!, Answer("Hello!"))!;
        var row = Assert.Single(plan.Commit.Messages);
        Assert.Equal(("ai", "pending", "Hello!", 12L, Running.Turn!.Id), (row.SenderType, row.Status, row.Text, row.Sequence, row.TurnId));
        Assert.Equal(row.Id, Assert.Single(plan.ToSend).MessageId);
        Assert.Equal(("completed", "replied"), (plan.Commit.Turn!.State, plan.Commit.Turn.Outcome));
        Assert.Null(plan.Next.Turn);
    }

    [Fact]
    public void The_answer_of_an_older_try_is_thrown_away()
    {
        var restarted = Receive(Running, WhatsApp, Now, Text("b")).Next;
        Assert.Null(Complete(restarted, Running.Turn!, Answer("Too late")));
        Assert.NotNull(Complete(restarted, restarted.Turn!, Answer("In time")));
    }

    [Fact]
    public void An_answer_never_passes_a_takeover()
    {
        var change = new ConversationChange { Action = ConversationAction.TakeOver, Actor = new Actor { OrganizationId = Organization, UserId = Guid.NewGuid() } };
        var taken = CommandDecision.Change(Running, change, Now, Guid.NewGuid)!;
        Assert.Equal((true, true, Running.Epoch + 1, ManagedBy.Human), (taken.StopsTurn, taken.WithdrawsAiMessages, taken.Next.Epoch, taken.Next.ManagedBy));
        Assert.Null(Complete(taken.Next, Running.Turn!, Answer("Over a person")));
        // Even with the turn still in memory, the epoch refuses it.
        Assert.Null(Complete(taken.Next with { Turn = Running.Turn }, Running.Turn!, Answer("Over a person")));
    }

    [Fact]
    public void An_escalation_hands_the_conversation_to_people()
    {
        var plan = Complete(Running, Running.Turn!, Answer("A colleague will write to you.") with { Escalate = true, Outcome = "escalated" })!;
        Assert.Equal((ConversationStatus.Escalated, ManagedBy.Human), (plan.Next.Status, plan.Next.ManagedBy));
        Assert.Single(plan.ToSend);
    }

    [Fact]
    public void A_turn_left_behind_starts_again_and_answers_everything_that_is_there()
    {
        var plan = TurnDecision.Start(Running with { LastSequence = 14 }, Running.Turn!, WhatsApp, AiAllowance.Unlimited, Instance, Now, Guid.NewGuid, isRepeated: true);
        Assert.Equal((2, 11L, 14L), (plan.Next.Turn!.Attempt, plan.Next.Turn.FirstSequence, plan.Next.Turn.LastSequence));
    }

    [Fact]
    public void A_turn_left_behind_ends_where_the_AI_was_switched_off_meanwhile()
    {
        var plan = TurnDecision.Start(Running, Running.Turn!, WhatsApp with { IsBotActive = false }, AiAllowance.Unlimited, Instance, Now, Guid.NewGuid, isRepeated: true);
        Assert.Equal((null, "cancelled"), (plan.Next.Turn, plan.Commit.Turn!.State));
    }

    [Fact]
    public void Queued_messages_become_the_next_turn()
    {
        var done = Running with { Turn = null, LastSequence = 13 };
        var plan = TurnDecision.StartQueued(done, 12, WhatsApp, AiAllowance.Unlimited, Instance, Now, Guid.NewGuid, null)!;
        Assert.Equal((12L, 13L), (plan.Next.Turn!.FirstSequence, plan.Next.Turn.LastSequence));
        Assert.Null(TurnDecision.StartQueued(done with { ManagedBy = ManagedBy.Human }, 12, WhatsApp, AiAllowance.Unlimited, Instance, Now, Guid.NewGuid, null));
    }

    private static TurnResult Answer(string text) =>
        new() { Replies = [new OutgoingContent { Text = text }], Outcome = "replied", Record = new TurnRecord { Responder = "model" } };

    private static ConversationPlan? Complete(ConversationState state, TurnState turn, TurnResult result) =>
        TurnDecision.Complete(state, turn.Id, turn.Attempt, result, new PlainConnector(), WhatsApp, Now, Guid.NewGuid);
}
