namespace AgentPlatform.Grains.Channels.Telegram;

/// <summary>How the Telegram Bot API is called.</summary>
public sealed record TelegramOptions
{
    /// <summary>The platform's own API. A channel's <c>settings.apiBaseUrl</c> takes its place.</summary>
    public string BaseUrl { get; init; } = "https://api.telegram.org";

    /// <summary>How long a request may take, in all. Default 20 s.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>Sends a second that a bot may make when the channel doesn't say otherwise.</summary>
    public double SendRatePerSecond { get; init; } = 30;

    internal static readonly PlatformLimits Limits = new()
    {
        Name = "Telegram",
        Text = 4096,
        Caption = 1024,
        Buttons = (Count: 100, Title: 64, Body: 4096),
        ChoiceId = 64,
    };
}
