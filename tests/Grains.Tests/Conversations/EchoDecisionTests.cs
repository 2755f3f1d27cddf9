using AgentPlatform.Conversations;
using AgentPlatform.Grains.Channels;
using AgentPlatform.Grains.Conversations;

namespace AgentPlatform.Grains.Tests.Conversations;

public sealed class EchoDecisionTests
{
    [Theory]
    [InlineData("text", "Hello", "text", "Hello")]
    [InlineData("text", "Hello\nthere", "text", "Hello\r\nthere")]
    [InlineData("text", "Hello \nthere", "text", " Hello\nthere  ")]
    [InlineData("interactive", "Choose", "text", "Choose")]
    [InlineData("interactive", "Choose", "interactive", "Choose")]
    [InlineData("image", null, "image", "")]
    public void An_echo_of_what_is_with_the_platform_is_ours(string sentType, string? sent, string echoType, string? echoed) =>
        Assert.Single(EchoDecision.Match([Echo(echoType, echoed)], [Item(sentType, sent)]));

    [Theory]
    [InlineData("text", "Hello", "text", "Hello!")]
    [InlineData("text", "Hello", "text", "hello")]
    [InlineData("text", "Hello", "image", "Hello")]
    [InlineData("image", "Look", "image", null)]
    [InlineData("text", "Hello", "reaction", "Hello")]
    public void An_echo_of_something_else_is_a_persons(string sentType, string? sent, string echoType, string? echoed) =>
        Assert.Empty(EchoDecision.Match([Echo(echoType, echoed)], [Item(sentType, sent)]));

    [Fact]
    public void What_the_platform_does_not_have_yet_and_what_is_settled_has_no_echo()
    {
        var waiting = Item("text", "Hello");
        waiting.IsWithPlatform = false;
        var settled = Item("text", "Hello");
        settled.IsSettled = true;
        Assert.Empty(EchoDecision.Match([Echo("text", "Hello")], [waiting, settled]));
    }

    [Fact]
    public void A_customers_message_of_the_same_words_is_the_customers() =>
        Assert.Empty(EchoDecision.Match([Echo("text", "Hello") with { IsEcho = false }], [Item("text", "Hello")]));

    [Fact]
    public void Each_echo_names_one_message_in_the_order_in_which_they_leave()
    {
        OutboxItem[] outbox = [Item("text", "Hello"), Item("text", "Hello")];
        Assert.Same(outbox[0], Assert.Single(EchoDecision.Match([Echo("text", "Hello")], outbox)).Item);
        var both = EchoDecision.Match([Echo("text", "Hello"), Echo("text", "Hello"), Echo("text", "Hello")], outbox);
        Assert.Equal(outbox, both.Select(pair => pair.Item));
    }

    private static InboundMessage Echo(string type, string? text) => new() { PlatformMessageId = Guid.NewGuid().ToString(), ContentType = type, Text = text, IsEcho = true };

    private static OutboxItem Item(string type, string? text) => new() { MessageId = Guid.NewGuid(), Sequence = 1, IsAi = true, Content = new PreparedContent(type, text), IsWithPlatform = true };
}
