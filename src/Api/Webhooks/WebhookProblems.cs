using AgentPlatform.Api.Problems;

namespace AgentPlatform.Api.Webhooks;

/// <summary>How webhooks are refused. A platform delivers again what isn't answered 2xx, so that a refusal that can be mended loses nothing.</summary>
internal static class WebhookProblems
{
    public static readonly ProblemType NotAuthentic = new("webhook-not-authentic", 401, "The webhook is not authentic",
        "Its signature or secret token is missing or wrong for the channel. Nothing was stored.");

    public static readonly ProblemType NoSecret = new("webhook-without-secret", 403, "The channel takes no webhooks",
        "The channel has no secret to authenticate webhooks with: set `credentials.appSecret` (WhatsApp) or `credentials.secretToken` (Telegram). Nothing was stored.");

    public static readonly ProblemType Inactive = new("channel-inactive", 403, "The channel is not active",
        "The webhook is authentic, but its channel is switched off. Nothing was stored.");

    public static readonly ProblemType NotVerified = new("webhook-not-verified", 403, "The verify token is wrong",
        "The platform's handshake named another verify token than the channel has, or the channel has none.");
}
