using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using AgentPlatform.Conversations;
using AgentPlatform.Data.Json;
using AgentPlatform.Data.Texts;

namespace AgentPlatform.Grains.Channels;

/// <summary>What a platform accepts in one message. Lengths are UTF-16 units where not said otherwise.</summary>
internal sealed record PlatformLimits
{
    /// <summary>The platform's name, for messages to people.</summary>
    public required string Name { get; init; }

    public required int Text { get; init; }

    /// <summary>Text below an image, a video or a document.</summary>
    public required int Caption { get; init; }

    /// <summary>Most buttons in one message, the length of one, and of the text above them.</summary>
    public required (int Count, int Title, int Body) Buttons { get; init; }

    /// <summary>Most rows of a list, the length of one, of its description, and of the text above them. No rows: the platform has no lists.</summary>
    public (int Count, int Title, int Description, int Body) List { get; init; }

    /// <summary>Length of a choice's id in bytes of UTF-8.</summary>
    public required int ChoiceId { get; init; }
}

/// <summary>Makes platform messages out of content: the same for all platforms but for the limits.</summary>
internal static class ContentPreparation
{
    private static readonly string[] MediaTypes = [ContentTypes.Image, ContentTypes.Audio, ContentTypes.Video, ContentTypes.Document];

    /// <summary>See <see cref="IChannelConnector.Prepare"/>.</summary>
    public static ContentParts Prepare(OutgoingContent content, PlatformLimits limits)
    {
        var text = Clean(content.Text);
        if (Refusal(content, text, limits) is { } error)
        {
            return new ContentParts([], error);
        }

        var parts = ImmutableArray.CreateBuilder<PreparedContent>();
        if (content.MediaType is not null)
        {
            var caption = content.Choices.IsEmpty && content.MediaType != ContentTypes.Audio && text?.Length <= limits.Caption ? text : null;
            text = caption is null ? text : null;
            parts.Add(new PreparedContent(content.MediaType, caption, content.MediaUrl, Metadata(content)));
        }

        if (text is not null)
        {
            AddText(parts, text, content.Choices, limits);
        }

        return new ContentParts(parts.ToImmutable());
    }

    /// <summary>Cuts a label to a limit, at a character as a reader sees it, with an ellipsis.</summary>
    public static string CutLabel(string label, int maxLength)
    {
        label = label.Trim();
        if (label.Length <= maxLength)
        {
            return label;
        }

        var cut = 0;
        while (StringInfo.GetNextTextElementLength(label.AsSpan(cut)) is var length && cut + length <= maxLength - 1)
        {
            cut += length;
        }

        return label[..cut].TrimEnd() + "…";
    }

    private static string? Refusal(OutgoingContent content, string? text, PlatformLimits limits)
    {
        if (content.MediaType is not null && !MediaTypes.Contains(content.MediaType))
        {
            return $"{limits.Name} can't send media of type {content.MediaType}: expected {string.Join(", ", MediaTypes)}.";
        }

        if (content.MediaType is not null && !IsMediaReference(content.MediaUrl))
        {
            return "Media needs an absolute http(s) URL, or a platform's media id as media:{id}.";
        }

        if (content.MediaType is null && text is null)
        {
            return content.Choices.IsEmpty ? "There is nothing to send." : "Choices need a text above them.";
        }

        if (!content.Choices.IsEmpty && text is null)
        {
            return "Choices need a text above them.";
        }

        var ids = new HashSet<string>(StringComparer.Ordinal);
        foreach (var choice in content.Choices)
        {
            if (ComparableText.IsBlank(choice.Id) || ComparableText.IsBlank(choice.Title))
            {
                return "Each choice needs an id and a title.";
            }

            if (Encoding.UTF8.GetByteCount(choice.Id) > limits.ChoiceId)
            {
                return $"The id of a choice may have at most {limits.ChoiceId} bytes on {limits.Name}.";
            }

            if (!ids.Add(choice.Id))
            {
                return $"Two choices have the same id, {choice.Id}.";
            }
        }

        return null;
    }

    private static void AddText(ImmutableArray<PreparedContent>.Builder parts, string text, ImmutableArray<Choice> choices, PlatformLimits limits)
    {
        var style = StyleOf(choices, limits);
        if (style is null && !choices.IsEmpty)
        {
            text = $"{text}\n\n{Numbered(choices)}"; // more choices than the platform can show: the person answers with words
        }

        var body = style is null ? 0 : style == ChoicePayload.List ? limits.List.Body : limits.Buttons.Body;
        var pieces = MessageSplitter.Split(text, limits.Text);
        for (var i = 0; i < pieces.Length - 1; i++)
        {
            parts.Add(new PreparedContent(ContentTypes.Text, pieces[i]));
        }

        var last = pieces[^1];
        if (style is null)
        {
            parts.Add(new PreparedContent(ContentTypes.Text, last));
            return;
        }

        if (last.Length > body)
        {
            var tail = MessageSplitter.Split(last, body)[^1];
            parts.Add(new PreparedContent(ContentTypes.Text, last[..^tail.Length].TrimEnd()));
            last = tail;
        }

        parts.Add(new PreparedContent(ContentTypes.Interactive, last, Payload: ChoicePayload.Write(style, choices)));
    }

    private static string? StyleOf(ImmutableArray<Choice> choices, PlatformLimits limits)
    {
        if (choices.IsEmpty)
        {
            return null;
        }

        var fitsButtons = choices.Length <= limits.Buttons.Count;
        var fitsList = choices.Length <= limits.List.Count;
        var needsRoom = choices.Any(choice => choice.Title.Length > limits.Buttons.Title || choice.Description is not null);
        return fitsList && (needsRoom || !fitsButtons) ? ChoicePayload.List : fitsButtons ? ChoicePayload.Buttons : null;
    }

    private static string Numbered(ImmutableArray<Choice> choices) => string.Join('\n', choices.Select((choice, i) =>
        string.Create(CultureInfo.InvariantCulture, $"{i + 1}. {choice.Title.Trim()}{(choice.Description is null ? "" : $" – {choice.Description.Trim()}")}")));

    private static bool IsMediaReference(string? url) =>
        url is not null && ((url.StartsWith("media:", StringComparison.Ordinal) && url.Length > "media:".Length)
            || (Uri.TryCreate(url, UriKind.Absolute, out var uri) && (uri.Scheme == Uri.UriSchemeHttps || uri.Scheme == Uri.UriSchemeHttp)));

    private static string? Metadata(OutgoingContent content) =>
        content.MediaFilename is null ? null : JsonText.WriteObject(content.MediaFilename, static (json, filename) => json.WriteString("filename", filename));

    /// <summary>Line ends of Unix, no U+0000, no halves of surrogate pairs; null when nothing is left.</summary>
    private static string? Clean(string? text)
    {
        if (text is null)
        {
            return null;
        }

        text = text.Replace("\r\n", "\n", StringComparison.Ordinal).Replace("\0", "", StringComparison.Ordinal).Trim();
        return text.Length == 0 ? null : text.AsSpan().IndexOfAnyInRange('\uD800', '\uDFFF') < 0 ? text : Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text));
    }
}
