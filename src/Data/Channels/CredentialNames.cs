namespace AgentPlatform.Data.Channels;

/// <summary>Names in <see cref="ChannelSettings.Credentials"/>.</summary>
public static class CredentialNames
{
    /// <summary>WhatsApp: secret of the app, which signs webhooks.</summary>
    public const string AppSecret = "appSecret";

    /// <summary>WhatsApp: what the platform says when it verifies the webhook's address.</summary>
    public const string VerifyToken = "verifyToken";

    /// <summary>WhatsApp: bearer token for sending.</summary>
    public const string AccessToken = "accessToken";

    /// <summary>Telegram: the bot's token.</summary>
    public const string BotToken = "botToken";

    /// <summary>Telegram: the header that authenticates webhooks.</summary>
    public const string SecretToken = "secretToken";
}
