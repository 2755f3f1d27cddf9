using Microsoft.Extensions.Configuration;

namespace AgentPlatform.Grains.Channels.WhatsApp;

/// <summary>How the WhatsApp Cloud API is called.</summary>
public sealed record WhatsAppOptions
{
    /// <summary>The platform's own API. A channel's <c>settings.apiBaseUrl</c> takes its place.</summary>
    public string BaseUrl { get; init; } = "https://graph.facebook.com";

    /// <summary>Version of the Graph API, part of every URL. Setting <c>WHATSAPP_GRAPH_VERSION</c>, default v25.0.</summary>
    public string GraphVersion { get; init; } = "v25.0";

    /// <summary>Label of the button that opens a list. Setting <c>WHATSAPP_LIST_BUTTON</c>, default "☰", which every language reads.</summary>
    public string ListButton { get; init; } = "☰";

    /// <summary>How long a request may take, in all. Default 20 s.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>Sends a second that a number may make when the channel doesn't say otherwise.</summary>
    public double SendRatePerSecond { get; init; } = 80;

    /// <summary>Longest wait asked for when one person is written to too fast: 4, 16, 64 … seconds, up to this.</summary>
    public TimeSpan LongestPairWait { get; init; } = TimeSpan.FromMinutes(15);

    internal static readonly PlatformLimits Limits = new()
    {
        Name = "WhatsApp",
        Text = 4096,
        Caption = 1024,
        Buttons = (Count: 3, Title: 20, Body: 1024),
        List = (Count: 10, Title: 24, Description: 72, Body: 4096),
        ChoiceId = 200, // buttons 256, list rows 200
    };

    /// <summary>Reads the settings.</summary>
    public static WhatsAppOptions From(IConfiguration configuration)
    {
        var defaults = new WhatsAppOptions();
        return defaults with
        {
            GraphVersion = configuration["WHATSAPP_GRAPH_VERSION"] ?? defaults.GraphVersion,
            ListButton = configuration["WHATSAPP_LIST_BUTTON"] ?? defaults.ListButton,
        };
    }
}
