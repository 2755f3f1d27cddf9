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

    public static readonly ProblemType TooSlow = new("webhook-too-slow", 408, "The webhook came too slowly",
        "Its body wasn't wholly here within the time that `detail` names. Nothing was stored, and the connection closes.");

    public static readonly ProblemType TooManyBytes = new("webhooks-under-way", 503, "Too many bytes of webhooks are under way",
        "`detail` names the limit. Nothing was stored; deliver again after `Retry-After` seconds.");

    /// <summary>413, naming the limit.</summary>
    public static Problem BodyTooLarge(WebhookOptions options) => new(ProblemType.BodyTooLarge, $"The limit is {options.MaxBodyBytes} bytes ({WebhookOptions.MaxBodyBytesSetting}).");

    /// <summary>408, naming the limit.</summary>
    public static Problem BodyTooSlow(WebhookOptions options) => new(TooSlow, $"The limit is {options.BodyTime.TotalSeconds} seconds ({WebhookOptions.BodySecondsSetting}).");

    /// <summary>503 for large bodies of one network or of all, naming both limits.</summary>
    public static Problem TooManyLarge(WebhookOptions options) => UnderWay(options,
        $"Bodies of more than {WebhookOptions.SmallBodyBytes} bytes that are under way may have {options.LargeBodyBytesOfNetwork} bytes from one network ({WebhookOptions.LargeBodyBytesOfNetworkSetting}), "
        + $"and {options.LargeBodyBytes} from all ({WebhookOptions.LargeBodyBytesSetting}).");

    /// <summary>503 for bodies of one organization, naming the limit.</summary>
    public static Problem TooManyOfOrganization(WebhookOptions options) => UnderWay(options,
        $"Bodies of one organization that are under way may have {options.BodyBytesOfOrganization} bytes ({WebhookOptions.BodyBytesOfOrganizationSetting}).");

    private static Problem UnderWay(WebhookOptions options, string detail) => new(TooManyBytes, detail) { RetryAfter = options.RetryAfter };
}
