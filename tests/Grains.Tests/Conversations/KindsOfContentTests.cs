using AgentPlatform.Billing;
using AgentPlatform.Conversations;
using AgentPlatform.Data.Channels;
using AgentPlatform.Data.Conversations;
using AgentPlatform.Grains.Conversations;
using static AgentPlatform.Grains.Tests.Conversations.Samples;

namespace AgentPlatform.Grains.Tests.Conversations;

/// <summary>What counts as something that a customer, or one of our people, says, and when it was said.</summary>
public sealed class KindsOfContentTests
{
    private static ConversationState Resolved => Conversation with
    {
        Status = ConversationStatus.Completed,
        EndedAt = Now.AddDays(-1),
        LastMessageAt = Now.AddDays(-1),
        LastInboundAt = Now.AddDays(-1),
        LastMessagePreview = "Goodbye",
        UnreachableReason = "blocked",
    };

    [Theory]
    [InlineData(ContentTypes.Reaction)]
    [InlineData(ContentTypes.Edit)]
    [InlineData(ContentTypes.Revoke)]
    [InlineData(ContentTypes.System)]
    [InlineData(ContentTypes.Unsupported)]
    [InlineData("a kind of next year")]
    public void What_nobody_says_is_stored_and_does_nothing(string kind)
    {
        var plan = Receive(Resolved, WhatsApp, Now, Kind(kind));
        Assert.Equal((kind, true), (Assert.Single(plan.Commit.Messages).ContentType, plan.Commit.Messages[0].IsRead));
        Assert.Equal(Resolved with { Version = 8, LastSequence = 11, Identities = plan.Next.Identities, FormerNames = plan.Next.FormerNames, LastInteractionAt = plan.Next.LastInteractionAt }, plan.Next);
        Assert.Null(plan.Commit.Turn);
        Assert.Null(plan.Commit.ContactNews);
    }

    [Theory]
    [InlineData(ContentTypes.Text)]
    [InlineData(ContentTypes.Sticker)]
    [InlineData(ContentTypes.Location)]
    [InlineData(ContentTypes.Order)]
    [InlineData(ContentTypes.Interactive)]
    public void What_somebody_says_opens_counts_shows_and_is_answered(string kind)
    {
        var plan = Receive(Resolved, WhatsApp, Now, Kind(kind));
        Assert.Equal((ConversationStatus.Active, 1, Now, Now, null), (plan.Next.Status, plan.Next.UnreadCount, plan.Next.LastInboundAt, plan.Next.LastMessageAt, plan.Next.UnreachableReason));
        Assert.NotEqual("Goodbye", plan.Next.LastMessagePreview);
        Assert.NotNull(plan.Next.Turn);
        Assert.Equal("", plan.Commit.ContactNews!.UnreachableReason);
    }

    [Fact]
    public void A_post_that_the_platform_forwards_into_a_group_is_stored_and_nobody_answers_it()
    {
        var plan = Receive(Resolved, Telegram, Now, Text("p", "What tours do you have?") with { IsSilent = true });
        Assert.Equal(("inbound", "system"), (plan.Commit.Messages[0].Direction, plan.Commit.Messages[0].SenderType));
        Assert.Equal((ConversationStatus.Completed, 0, null), (plan.Next.Status, plan.Next.UnreadCount, plan.Next.Turn));
    }

    [Fact]
    public void A_contact_who_blocks_us_is_marked_and_one_who_comes_back_is_not()
    {
        var blocked = InboundDecision.Decide(
            Conversation, Batch(Kind(ContentTypes.System)) with { Contact = new InboundContact { Identities = ["491700"], IsReachable = false } }, [], Telegram, AiAllowance.Unlimited, Instance, Now, Guid.NewGuid, null);
        Assert.NotNull(blocked.Next.UnreachableReason);
        Assert.Equal(blocked.Next.UnreachableReason, blocked.Commit.ContactNews!.UnreachableReason);
        var back = InboundDecision.Decide(
            blocked.Next, Batch(Kind(ContentTypes.System) with { PlatformMessageId = "b" }) with { Contact = new InboundContact { Identities = ["491700"], IsReachable = true } }, [], Telegram, AiAllowance.Unlimited, Instance, Now, Guid.NewGuid, null);
        Assert.Equal((null, ""), (back.Next.UnreachableReason, back.Commit.ContactNews!.UnreachableReason));
    }

    [Fact]
    public void Somebody_of_whom_only_the_platform_has_spoken_has_no_open_conversation()
    {
        var plan = Receive(Conversation with { Version = 0, LastSequence = 0 }, Telegram, Now, Kind(ContentTypes.System));
        Assert.Equal(ConversationStatus.Archived, plan.Next.Status);
        var opened = Receive(plan.Next, Telegram, Now, Text("1"));
        Assert.Equal(ConversationStatus.Active, opened.Next.Status);
        Assert.NotNull(opened.Next.Turn);
    }

    [Fact]
    public void A_person_who_writes_in_the_platforms_app_takes_over_and_has_read_everything()
    {
        var running = Receive(Conversation with { UnreadCount = 3, Status = ConversationStatus.Active }, WhatsApp, Now, Text("a")).Next;
        var plan = Receive(running, WhatsApp, Now, Text("e", "I'll take this") with { IsEcho = true });
        Assert.Equal((ManagedBy.Human, 0, true, running.Epoch + 1), (plan.Next.ManagedBy, plan.Next.UnreadCount, plan.Commit.Advance!.MarksRead, plan.Next.Epoch));
        Assert.True(plan.StopsTurn);
        var escalated = Receive(Conversation with { Status = ConversationStatus.Escalated, ManagedBy = ManagedBy.Human }, WhatsApp, Now, Text("e") with { IsEcho = true });
        Assert.Equal(ConversationStatus.Active, escalated.Next.Status);
        var resolved = Receive(Resolved, WhatsApp, Now, Kind(ContentTypes.Image) with { IsEcho = true });
        Assert.Equal((ConversationStatus.Active, ManagedBy.Human), (resolved.Next.Status, resolved.Next.ManagedBy));
    }

    [Theory]
    [InlineData(ContentTypes.Reaction, false)]
    [InlineData(ContentTypes.Revoke, false)]
    [InlineData(ContentTypes.Edit, false)]
    [InlineData("unknown", false)]
    [InlineData(ContentTypes.Text, true)]
    public void What_is_no_persons_message_takes_nothing_over(string kind, bool isAutomatic)
    {
        var running = Receive(Conversation, WhatsApp, Now, Text("a")).Next;
        var plan = Receive(running, WhatsApp, Now, Kind(kind) with { IsEcho = true, IsAutomatic = isAutomatic });
        Assert.Equal((ManagedBy.Ai, running.Epoch, 1), (plan.Next.ManagedBy, plan.Next.Epoch, plan.Next.UnreadCount));
        Assert.NotNull(plan.Next.Turn);
        Assert.False(plan.WithdrawsAiMessages);
        Assert.Equal(isAutomatic ? "system" : "agent", plan.Commit.Messages[0].SenderType);
    }

    [Fact]
    public void What_comes_thirty_hours_late_opens_no_window_and_waits_for_people()
    {
        var plan = Receive(Resolved, WhatsApp, Now, Text("l") with { PlatformTimestamp = Now.AddHours(-30) });
        Assert.Equal((Resolved.LastInboundAt, Resolved.LastMessageAt, "Goodbye"), (plan.Next.LastInboundAt, plan.Next.LastMessageAt, plan.Next.LastMessagePreview));
        Assert.Equal((ConversationStatus.Escalated, ManagedBy.Human, 1), (plan.Next.Status, plan.Next.ManagedBy, plan.Next.UnreadCount));
        Assert.Equal((null, Now.AddHours(-30)), (plan.Next.Turn, plan.Commit.Messages[0].SentAt));
    }

    [Fact]
    public void What_comes_late_is_left_or_answered_where_the_channel_says_so()
    {
        var late = Text("l") with { PlatformTimestamp = Now.AddHours(-20) };
        var left = Receive(Conversation, WhatsApp with { OnLateMessage = LateMessages.Leave }, Now, late);
        Assert.Equal((ConversationStatus.Active, ManagedBy.Ai, null), (left.Next.Status, left.Next.ManagedBy, left.Next.Turn));
        Assert.NotNull(Receive(Conversation, WhatsApp with { OnLateMessage = LateMessages.Answer }, Now, late).Next.Turn);
        Assert.NotNull(Receive(Conversation, WhatsApp with { LateAfter = TimeSpan.FromDays(1) }, Now, late).Next.Turn);
        // Not where the platform would refuse the answer.
        var closed = InboundDecision.Decide(
            Conversation, Batch(Text("l") with { PlatformTimestamp = Now.AddHours(-25) }), [], WhatsApp with { OnLateMessage = LateMessages.Answer }, AiAllowance.Unlimited, Instance, Now, Guid.NewGuid, null, TimeSpan.FromHours(24));
        Assert.Equal((null, ConversationStatus.Escalated), (closed.Next.Turn, closed.Next.Status));
    }

    [Fact]
    public void A_late_message_beside_a_fresh_one_is_answered_with_it()
    {
        var plan = Receive(Conversation, WhatsApp, Now, Text("l") with { PlatformTimestamp = Now.AddHours(-20) }, Text("f"));
        Assert.Equal((12L, 12L), (plan.Next.Turn!.FirstSequence, plan.Next.Turn.LastSequence));
        Assert.Equal(ManagedBy.Ai, plan.Next.ManagedBy);
    }

    [Theory]
    [InlineData(-59, 0)]
    [InlineData(3600, 0)]
    [InlineData(-61, -61)]
    public void Clocks_that_differ_a_little_or_run_ahead_are_not_believed(int platformSeconds, int saidSeconds) =>
        Assert.Equal(Now.AddSeconds(saidSeconds), InboundDecision.SaidAt(Now.AddSeconds(platformSeconds), Now));

    [Fact]
    public void An_album_is_one_message_and_one_answer()
    {
        var first = Receive(Conversation, Telegram, Now, Part("1", "Which tour goes here?"));
        var second = Receive(first.Next, Telegram, Now.AddSeconds(0.2), Part("2"));
        var third = Receive(second.Next, Telegram, Now.AddSeconds(0.4), Part("3"), Text("x", "Well?"));
        Assert.Equal([1, 0, 1], [first.Commit.Messages.Count, second.Commit.Messages.Count, third.Commit.Messages.Count]);
        Assert.Equal(("1", AmendmentKind.Attach), (second.Commit.Amendments[0].PlatformMessageId, second.Commit.Amendments[0].Kind));
        Assert.Equal((first.Next.Turn!.Id, 11L, 12L, 2), (third.Next.Turn!.Id, third.Next.Turn.FirstSequence, third.Next.Turn.LastSequence, third.Next.UnreadCount));
        Assert.Null(first.Next.Turn.StartedAt);
        Assert.Equal(Now.AddSeconds(0.4) + InboundDecision.AlbumWait, third.Next.Turn.DueAt);
    }

    [Fact]
    public void Words_that_an_answered_album_gets_late_are_answered_and_a_picture_alone_is_not()
    {
        var answered = Receive(Conversation, Telegram, Now, Part("1")).Next with { Turn = null };
        Assert.Null(Receive(answered, Telegram, Now.AddMinutes(1), Part("2")).Next.Turn);
        Assert.NotNull(Receive(answered, Telegram, Now.AddMinutes(1), Part("2", "Where is this?")).Next.Turn);
    }

    [Fact]
    public void What_is_corrected_before_it_is_answered_is_answered_as_corrected()
    {
        var running = Receive(Conversation, WhatsApp, Now, Text("a", "In May")).Next;
        var plan = Receive(running, WhatsApp, Now, Kind(ContentTypes.Edit) with { Text = "In June", ReplyToPlatformId = "a" });
        Assert.Equal((true, running.Turn!.Id, 2, 11L), (plan.StopsTurn, plan.Next.Turn!.Id, plan.Next.Turn.Attempt, plan.Next.Turn.LastSequence));
        Assert.Equal(("a", AmendmentKind.Edit, "In June"), (plan.Commit.Amendments[0].PlatformMessageId, plan.Commit.Amendments[0].Kind, plan.Commit.Amendments[0].Text));
        Assert.Null(Receive(Conversation, WhatsApp, Now, Kind(ContentTypes.Revoke) with { ReplyToPlatformId = "a" }).Next.Turn);
    }

    [Fact]
    public void A_location_that_moves_is_no_further_message()
    {
        var plan = Receive(Resolved, Telegram, Now, Kind(ContentTypes.Location) with { IsUpdate = true });
        Assert.Empty(plan.Commit.Messages);
        Assert.Equal(AmendmentKind.Update, Assert.Single(plan.Commit.Amendments).Kind);
        Assert.Equal((ConversationStatus.Completed, 10L), (plan.Next.Status, plan.Next.LastSequence));
    }

    [Fact]
    public void A_blocked_contact_is_kept_and_nothing_else_and_a_muted_one_only_counts()
    {
        var blocked = Receive(Resolved with { IsBlocked = true }, WithKeywords, Now, Text("1", "prices"));
        Assert.Equal((1, ConversationStatus.Completed, 0, "Goodbye", null), (blocked.Commit.Messages.Count, blocked.Next.Status, blocked.Next.UnreadCount, blocked.Next.LastMessagePreview, blocked.Next.Turn));
        Assert.Empty(blocked.ToSend);
        var muted = Receive(Conversation with { IsMuted = true }, WhatsApp, Now, Text("1"));
        Assert.Equal((1, null), (muted.Next.UnreadCount, muted.Next.Turn));
    }

    [Theory]
    [InlineData("MUTE_CONTACT", true, false)]
    [InlineData("BLOCK_CONTACT", false, true)]
    public void A_keyword_mutes_or_blocks(string action, bool isMuted, bool isBlocked)
    {
        var channel = WhatsApp with { Keywords = WhatsApp.Keywords.Add("stop", new KeywordAction(action, [])) };
        var plan = Receive(Conversation, channel, Now, Text("1", "STOP"));
        Assert.Equal((isMuted, isBlocked), (plan.Next.IsMuted, plan.Next.IsBlocked));
        Assert.Equal((isMuted ? true : null, isBlocked ? true : (bool?)null), (plan.Commit.ContactNews!.IsMuted, plan.Commit.ContactNews.IsBlocked));
        Assert.Null(plan.Next.Turn);
    }

    [Theory]
    [InlineData("telegram", null, true)]
    [InlineData("telegram", false, false)]
    [InlineData("whatsapp", null, false)]
    [InlineData("whatsapp", true, true)]
    public void Groups_are_answered_where_the_channel_says_so(string platform, bool? answersGroups, bool isAnswered) =>
        Assert.Equal(isAnswered, Receive(Conversation with { IsGroup = true }, WhatsApp with { Platform = platform, AnswersGroups = answersGroups }, Now, Text("1")).Next.Turn is not null);

    private static ChannelSettings Telegram => WhatsApp with { Platform = "telegram" };

    private static ChannelSettings WithKeywords => WhatsApp with { Keywords = WhatsApp.Keywords.Add("prices", new KeywordAction("SEND_COLLECTION", ["One day: $90"])) };

    private static InboundMessage Kind(string kind) => new() { PlatformMessageId = "k", ContentType = kind, Text = "👍" };

    private static InboundMessage Part(string id, string? text = null) => new() { PlatformMessageId = id, ContentType = ContentTypes.Image, Text = text, AttachmentUrl = "media:" + id, AlbumId = "137" };
}
