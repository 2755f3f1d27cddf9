using System.Collections.Immutable;
using AgentPlatform.Conversations;
using AgentPlatform.Grains.Channels;
using AgentPlatform.Grains.Channels.Telegram;
using AgentPlatform.Grains.Channels.WhatsApp;

namespace AgentPlatform.Grains.Tests.Channels;

public sealed class ContentPreparationTests
{
    [Fact]
    public void A_long_text_becomes_several_messages()
    {
        var parts = WhatsApp(new OutgoingContent { Text = string.Join(' ', Enumerable.Repeat("A sentence of some words.", 400)) }).Parts;

        Assert.Equal(3, parts.Length);
        Assert.All(parts, part => Assert.True(part.ContentType == ContentTypes.Text && part.Text!.Length <= 4096 && part.Text.EndsWith('.')));
    }

    [Theory]
    [InlineData(3, null, "buttons")]
    [InlineData(4, null, "list")]
    [InlineData(10, null, "list")]
    [InlineData(2, "with more to say", "list")]
    public void Choices_become_buttons_or_a_list(int count, string? description, string style)
    {
        var part = Assert.Single(WhatsApp(new OutgoingContent { Text = "Which?", Choices = Choices(count, description) }).Parts);

        Assert.Equal((ContentTypes.Interactive, "Which?"), (part.ContentType, part.Text));
        var (type, choices) = ChoicePayload.Read(part.Payload);
        Assert.Equal((style, count, description), (type, choices.Length, choices[0].Description));
    }

    [Fact]
    public void More_choices_than_a_platform_shows_become_a_numbered_text()
    {
        var part = Assert.Single(WhatsApp(new OutgoingContent { Text = "Which?", Choices = Choices(11) }).Parts);

        Assert.Equal(ContentTypes.Text, part.ContentType);
        Assert.StartsWith("Which?\n\n1. Choice 1\n2. Choice 2", part.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_text_too_long_to_stand_above_choices_goes_before_them()
    {
        var text = string.Join(' ', Enumerable.Repeat("A sentence of some words.", 100));

        var parts = WhatsApp(new OutgoingContent { Text = text, Choices = Choices(2) }).Parts;

        Assert.Equal([ContentTypes.Text, ContentTypes.Interactive], parts.Select(part => part.ContentType));
        Assert.True(parts[1].Text!.Length <= 1024);
        Assert.Equal(text, $"{parts[0].Text} {parts[1].Text}");
    }

    [Fact]
    public void Media_carries_a_short_text_as_its_caption_and_a_long_one_behind_it()
    {
        var brief = Assert.Single(WhatsApp(Image("Look!")).Parts);
        var longer = WhatsApp(Image(new string('x', 1025))).Parts;

        Assert.Equal((ContentTypes.Image, "Look!", "https://example.com/a.jpg"), (brief.ContentType, brief.Text, brief.AttachmentUrl));
        Assert.Equal([ContentTypes.Image, ContentTypes.Text], longer.Select(part => part.ContentType));
        Assert.Null(longer[0].Text);
    }

    [Fact]
    public void Audio_has_no_caption() => Assert.Equal([ContentTypes.Audio, ContentTypes.Text],
        WhatsApp(new OutgoingContent { Text = "Listen", MediaType = ContentTypes.Audio, MediaUrl = "media:5" }).Parts.Select(part => part.ContentType));

    [Fact]
    public void What_cannot_be_sent_is_refused_with_a_reason()
    {
        Assert.Equal("There is nothing to send.", WhatsApp(new OutgoingContent { Text = " \n" }).Error);
        Assert.Contains("need a text", WhatsApp(new OutgoingContent { Choices = Choices(1) }).Error, StringComparison.Ordinal);
        Assert.Contains("media of type", WhatsApp(new OutgoingContent { MediaType = "sticker", MediaUrl = "media:1" }).Error, StringComparison.Ordinal);
        Assert.Contains("absolute http(s) URL", WhatsApp(new OutgoingContent { MediaType = "image", MediaUrl = "file:///etc/passwd" }).Error, StringComparison.Ordinal);
        Assert.Contains("same id", WhatsApp(new OutgoingContent { Text = "?", Choices = [new("a", "A"), new("a", "B")] }).Error, StringComparison.Ordinal);
        Assert.Contains("at most 64 bytes", Telegram(new OutgoingContent { Text = "?", Choices = [new(new string('я', 33), "A")] }).Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Texts_are_made_storable()
    {
        var part = Assert.Single(WhatsApp(new OutgoingContent { Text = "a\0b\r\nc \ud800 d" }).Parts);

        Assert.Equal("ab\nc \uFFFD d", part.Text);
    }

    [Theory]
    [InlineData("Short", "Short")]
    [InlineData("A label of thirty characters!!", "A label of thirty c…")]
    [InlineData("Families: 👨‍👩‍👧‍👦👨‍👩‍👧‍👦", "Families:…")]
    public void Labels_are_cut_between_characters(string label, string cut) => Assert.Equal(cut, ContentPreparation.CutLabel(label, 20));

    private static ContentParts WhatsApp(OutgoingContent content) => ContentPreparation.Prepare(content, WhatsAppOptions.Limits);

    private static ContentParts Telegram(OutgoingContent content) => ContentPreparation.Prepare(content, TelegramOptions.Limits);

    private static OutgoingContent Image(string text) => new() { Text = text, MediaType = ContentTypes.Image, MediaUrl = "https://example.com/a.jpg" };

    private static ImmutableArray<Choice> Choices(int count, string? description = null) =>
        [.. Enumerable.Range(1, count).Select(i => new Choice($"id-{i}", $"Choice {i}", description))];
}
