using AgentPlatform.Billing;
using AgentPlatform.Conversations;
using AgentPlatform.Data.Channels;
using AgentPlatform.Grains.Conversations;
using static AgentPlatform.Grains.Tests.Conversations.Samples;

namespace AgentPlatform.Grains.Tests.Conversations;

public sealed class InboundDecisionTests
{
    [Fact]
    public void Messages_of_one_body_get_the_next_numbers_in_order()
    {
        var plan = Receive(Conversation, WhatsApp, Now, Text("a"), Text("b"), Text("c"));
        Assert.Equal([(11, "a"), (12, "b"), (13, "c")], plan.Commit.Messages.Select(row => ((int)row.Sequence, row.PlatformMessageId!)));
        Assert.Equal((13, 3, 8), ((int)plan.Next.LastSequence, plan.Next.UnreadCount, (int)plan.Next.Version));
        Assert.Equal(7, plan.Commit.Advance!.ExpectedVersion);
    }

    [Fact]
    public void A_message_twice_in_one_body_is_stored_once() => Assert.Single(Receive(Conversation, WhatsApp, Now, Text("a"), Text("a")).Commit.Messages);

    [Fact]
    public void Messages_stored_before_are_left_out_and_the_rest_is_numbered_without_a_gap()
    {
        var plan = InboundDecision.Decide(Conversation, Batch(Text("a"), Text("b"), Text("c")), ["b"], WhatsApp, AiAllowance.Unlimited, Instance, Now, Guid.NewGuid, null);
        Assert.Equal([(11, "a"), (12, "c")], plan.Commit.Messages.Select(row => ((int)row.Sequence, row.PlatformMessageId!)));
    }

    [Fact]
    public void Without_a_settle_time_the_turn_runs_at_once()
    {
        var turn = Receive(Conversation, WhatsApp, Now, Text("a")).Next.Turn!;
        Assert.Equal((11, 11, 1, Now), ((int)turn.FirstSequence, (int)turn.LastSequence, turn.Attempt, turn.StartedAt!.Value));
    }

    [Fact]
    public void Fragments_within_the_settle_time_are_one_turn()
    {
        var channel = WhatsApp with { ResponseDelaySeconds = 4 };
        var first = Receive(Conversation, channel, Now, Text("a"));
        var second = Receive(first.Next, channel, Now.AddSeconds(2), Text("b"));
        Assert.Null(second.Next.Turn!.StartedAt);
        Assert.Equal(first.Next.Turn!.Id, second.Next.Turn.Id);
        Assert.Equal((11, 12, Now.AddSeconds(6)), ((int)second.Next.Turn.FirstSequence, (int)second.Next.Turn.LastSequence, second.Next.Turn.DueAt));
    }

    [Fact]
    public void Fragments_without_end_put_the_answer_off_for_a_bounded_time()
    {
        var channel = WhatsApp with { ResponseDelaySeconds = 4 };
        var state = Conversation;
        for (var second = 0; second <= 60; second += 2)
        {
            state = Receive(state, channel, Now.AddSeconds(second), Text($"m{second}")).Next;
        }
        Assert.True(state.Turn!.DueAt <= Now.AddSeconds(60), $"due at {state.Turn.DueAt:O}");
    }

    [Fact]
    public void A_new_message_restarts_the_turn_under_way_with_all_messages()
    {
        var first = Receive(Conversation, WhatsApp, Now, Text("a"));
        var second = Receive(first.Next, WhatsApp, Now.AddSeconds(1), Text("b"));
        Assert.True(second.StopsTurn);
        Assert.Equal((first.Next.Turn!.Id, 2, 11L, 12L), (second.Next.Turn!.Id, second.Next.Turn.Attempt, second.Next.Turn.FirstSequence, second.Next.Turn.LastSequence));
    }

    [Fact]
    public void Where_turns_are_queued_the_one_under_way_goes_on()
    {
        var channel = WhatsApp with { RestartsOnNewMessage = false };
        var first = Receive(Conversation, channel, Now, Text("a"));
        var second = Receive(first.Next, channel, Now.AddSeconds(1), Text("b"));
        Assert.False(second.StopsTurn);
        Assert.Same(first.Next.Turn, second.Next.Turn);
        Assert.Equal(12, second.QueuedFrom);
    }

    [Fact]
    public void No_turn_starts_where_the_AI_is_off()
    {
        Assert.All<ChannelSettings>(
            [WhatsApp with { IsBotActive = false }, WhatsApp with { IsOrganizationAiEnabled = false }, WhatsApp with { HasActiveAgent = false }],
            channel => Assert.Null(Receive(Conversation, channel, Now, Text("a")).Next.Turn));
        Assert.Null(Receive(Conversation with { AiEnabled = false }, WhatsApp, Now, Text("a")).Next.Turn);
        Assert.Null(Receive(Conversation with { ManagedBy = ManagedBy.Human }, WhatsApp, Now, Text("a")).Next.Turn);
    }

    [Fact]
    public void What_needs_no_answer_starts_no_turn()
    {
        var reaction = new InboundMessage { PlatformMessageId = "r", ContentType = ContentTypes.Reaction, Text = "👍" };
        var plan = Receive(Conversation, WhatsApp, Now, reaction);
        Assert.Single(plan.Commit.Messages);
        Assert.Null(plan.Next.Turn);
    }

    [Fact]
    public void An_echo_of_a_person_takes_the_conversation_over()
    {
        var running = Receive(Conversation, WhatsApp, Now, Text("a")).Next;
        var plan = Receive(running, WhatsApp, Now, Text("e", "I'll take this") with { IsEcho = true });
        Assert.Equal((ManagedBy.Human, running.Epoch + 1, true, true), (plan.Next.ManagedBy, plan.Next.Epoch, plan.StopsTurn, plan.WithdrawsAiMessages));
        Assert.Equal(("outbound", "agent", "sent"), (plan.Commit.Messages[0].Direction, plan.Commit.Messages[0].SenderType, plan.Commit.Messages[0].Status));
        Assert.Equal("cancelled", plan.Commit.Turn!.State);
    }

    [Fact]
    public void A_message_to_a_resolved_conversation_opens_it_again()
    {
        var plan = Receive(Conversation with { Status = ConversationStatus.Completed, EndedAt = Now }, WhatsApp, Now, Text("a"));
        Assert.Equal((ConversationStatus.Active, null), (plan.Next.Status, plan.Next.EndedAt));
        Assert.NotNull(plan.Next.Turn);
    }

    [Theory]
    [InlineData("STOP", false)]
    [InlineData("  stop ", false)]
    [InlineData("ｓｔｏｐ！", false)]
    [InlineData("\u202aStop\u202c\u00a0", false)]
    [InlineData("s\u00adtop 🙏", false)]
    [InlineData("bot", true)]
    public void A_keyword_switches_the_AI(string text, bool enabled)
    {
        var plan = Receive(Conversation with { AiEnabled = !enabled }, WithKeywords, Now, Text("k", text));
        Assert.Equal(enabled, plan.Next.AiEnabled);
        Assert.Null(plan.Next.Turn);
    }

    [Fact]
    public void A_keyword_answers_with_its_collection_item_by_item()
    {
        var plan = Receive(Conversation, WithKeywords, Now, Text("k", "prices"));
        Assert.Equal(["prices", "One day: $90", "Three days: $240"], plan.Commit.Messages.Select(row => row.Text));
        Assert.Equal([12L, 13L], plan.ToSend.Select(item => item.Sequence));
        Assert.Null(plan.Next.Turn);
    }

    [Fact]
    public void A_new_identity_and_a_new_name_are_told()
    {
        var batch = Batch(Text("a")) with { Contact = new InboundContact { Identities = ["DE.77", "491700"], Name = "Ana", Phone = "+491700" } };
        var plan = InboundDecision.Decide(Conversation, batch, [], WhatsApp, AiAllowance.Unlimited, Instance, Now, Guid.NewGuid, null);
        Assert.Equal(["DE.77"], plan.Commit.ContactNews!.NewIdentities);
        Assert.Equal(["491700", "DE.77"], plan.Next.Identities);
        Assert.Equal(("Ana", "+491700"), (plan.Next.Name, plan.Next.Phone));
        Assert.Null(InboundDecision.Decide(plan.Next, batch with { Messages = [Text("b")] }, [], WhatsApp, AiAllowance.Unlimited, Instance, Now, Guid.NewGuid, null).Commit.ContactNews);
    }

    [Fact]
    public void A_preview_never_ends_in_half_a_character()
    {
        var text = new string('x', InboundDecision.PreviewLength - 2) + "😀 and more";
        Assert.DoesNotContain(InboundDecision.Preview(text, "text").EnumerateRunes(), rune => rune.Value == 0xFFFD);
    }

    private static ChannelSettings WithKeywords => WhatsApp with
    {
        Keywords = WhatsApp.Keywords
            .Add("stop", new KeywordAction("DISABLE_AI", []))
            .Add("bot", new KeywordAction("ENABLE_AI", []))
            .Add("prices", new KeywordAction("SEND_COLLECTION", ["One day: $90", "Three days: $240"])),
    };
}
