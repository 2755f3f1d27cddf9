using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using AgentPlatform.Conversations;
using AgentPlatform.Data.Channels;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace AgentPlatform.Grains.Channels.Web;

/// <summary>
/// The web channel. Its platform is our own API: a visitor's event stream reads the rows, so that a send is accepted at once and a repeated one changes
/// nothing. "Delivered" is recorded when the API has written a message to the visitor's connection.
/// </summary>
public sealed class WebConnector : IChannelConnector
{
    /// <summary>Longest text of one message, in characters. A browser could show more; nobody reads more in a chat.</summary>
    public const int MaxTextLength = 20_000;

    /// <summary>Most choices below one message.</summary>
    public const int MaxChoices = 30;

    /// <inheritdoc />
    public string Platform => "web";

    /// <inheritdoc />
    public double SendRatePerSecond => 10_000;

    /// <inheritdoc />
    public (int Burst, TimeSpan Refill) PairLimit => (1_000, TimeSpan.FromMilliseconds(1));

    /// <summary>False: a send after a crash is simply accepted again, and shows the same row.</summary>
    public bool ReportsCorrelation => false;

    /// <inheritdoc />
    public TimeSpan? ServiceWindow => null;

    /// <inheritdoc />
    public ContentParts Prepare(OutgoingContent content)
    {
        if (content.Text?.Length > MaxTextLength)
        {
            return Refuse($"The text has {content.Text.Length} characters; MaxTextLength of the web channel is {MaxTextLength}.");
        }
        if (content.Choices.Length > MaxChoices)
        {
            return Refuse($"The message has {content.Choices.Length} choices; MaxChoices of the web channel is {MaxChoices}.");
        }
        var hasText = !string.IsNullOrWhiteSpace(content.Text);
        if (content.Choices.Length > 0 && !hasText)
        {
            return Refuse("Choices need a text above them.");
        }
        var parts = ImmutableArray.CreateBuilder<PreparedContent>(2);
        if (content.MediaUrl is { } url)
        {
            if (!Uri.TryCreate(url, UriKind.Absolute, out var address) || address.Scheme is not ("https" or "http"))
            {
                return Refuse("Media must be an http or https link.");
            }
            var caption = content.Choices.IsEmpty && hasText ? content.Text : null;
            parts.Add(new PreparedContent(content.MediaType ?? ContentTypes.Document, caption, url, FileMetadata(content.MediaFilename)));
            hasText = hasText && caption is null;
        }
        if (hasText)
        {
            parts.Add(content.Choices.IsEmpty
                ? new PreparedContent(ContentTypes.Text, content.Text)
                : new PreparedContent(ContentTypes.Interactive, content.Text, Payload: ChoicesPayload(content.Choices)));
        }
        return parts.Count == 0 ? Refuse("The message is empty.") : new ContentParts(parts.ToImmutable());
    }

    /// <summary>Accepted: the platform's id is our own.</summary>
    public Task<SendResult> Send(ChannelSettings channel, OutboundMessage message, CancellationToken cancellationToken) =>
        Task.FromResult(new SendResult(SendOutcome.Sent, message.MessageId.ToString("D")));

    /// <summary>Nothing to tell: the visitor's stream sees the turn under way.</summary>
    public Task MarkReadAndTyping(ChannelSettings channel, string recipient, string platformMessageId, bool typing, CancellationToken cancellationToken) => Task.CompletedTask;

    private static ContentParts Refuse(string why) => new([], why);

    private static string? FileMetadata(string? filename) => filename is null ? null : JsonSerializer.Serialize(new { filename }, JsonSerializerOptions.Web);

    /// <summary>The same as other channels store, so that a conversation reads alike whatever its platform.</summary>
    private static string ChoicesPayload(ImmutableArray<Choice> choices) => JsonSerializer.Serialize(
        new { type = "buttons", choices = choices.Select(choice => new { id = choice.Id, title = choice.Title, description = choice.Description }) }, Payload);

    private static readonly JsonSerializerOptions Payload = new(JsonSerializerDefaults.Web) { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };
}

/// <summary>Registration.</summary>
public static class WebConnectorServices
{
    /// <summary>Adds the connector of the web channel. May be called more than once.</summary>
    public static IServiceCollection AddWebConnector(this IServiceCollection services)
    {
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IChannelConnector, WebConnector>());
        return services;
    }
}
