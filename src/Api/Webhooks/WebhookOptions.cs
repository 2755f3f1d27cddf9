using AgentPlatform.Data;

namespace AgentPlatform.Api.Webhooks;

/// <summary>Limits of incoming webhooks.</summary>
public sealed record WebhookOptions
{
    /// <summary>Name of the setting behind <see cref="MaxBodyBytes"/>.</summary>
    public const string MaxBodyBytesSetting = "WEBHOOK_MAX_BODY_BYTES";

    /// <summary>Largest body accepted, in bytes; larger ones are answered 413. Setting <c>WEBHOOK_MAX_BODY_BYTES</c>, default 3 MiB (Meta batches up to that).</summary>
    public int MaxBodyBytes { get; init; } = 3 * 1024 * 1024;

    /// <summary>Bodies of up to so many bytes, nearly all that platforms send, count for no network: 64 KiB.</summary>
    public const int SmallBodyBytes = 64 * 1024;

    /// <summary>Name of the setting behind <see cref="LargeBodyBytesOfNetwork"/>.</summary>
    public const string LargeBodyBytesOfNetworkSetting = "WEBHOOK_LARGE_BODY_BYTES_OF_NETWORK";

    /// <summary>
    /// Bytes of larger bodies from one network (an IPv4 address, or a /64 of IPv6) that are under way at once in this process; more are answered 503. Setting
    /// <c>WEBHOOK_LARGE_BODY_BYTES_OF_NETWORK</c>, default 24 MiB.
    /// </summary>
    public int LargeBodyBytesOfNetwork { get; init; } = 24 * 1024 * 1024;

    /// <summary>Name of the setting behind <see cref="LargeBodyBytes"/>.</summary>
    public const string LargeBodyBytesSetting = "WEBHOOK_LARGE_BODY_BYTES";

    /// <summary>The same for all networks together. Setting <c>WEBHOOK_LARGE_BODY_BYTES</c>, default 96 MiB.</summary>
    public int LargeBodyBytes { get; init; } = 96 * 1024 * 1024;

    /// <summary>Name of the setting behind <see cref="BodyBytesOfOrganization"/>.</summary>
    public const string BodyBytesOfOrganizationSetting = "WEBHOOK_BODY_BYTES_OF_ORGANIZATION";

    /// <summary>
    /// Bytes of one organization's authentic bodies, small ones too, that are under way at once in this process; more are answered 503. What a body says takes many times its bytes. One
    /// that is alone is always taken. Setting <c>WEBHOOK_BODY_BYTES_OF_ORGANIZATION</c>, default 8 MiB.
    /// </summary>
    public int BodyBytesOfOrganization { get; init; } = 8 * 1024 * 1024;

    /// <summary>Name of the setting behind <see cref="BodyTime"/>.</summary>
    public const string BodySecondsSetting = "WEBHOOK_BODY_SECONDS";

    /// <summary>Within what time a body must be wholly here; else the answer is 408. Setting <c>WEBHOOK_BODY_SECONDS</c>, default 30.</summary>
    public TimeSpan BodyTime { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>When platforms are asked to come again while the database or the engine is away, or too much is under way. Default 2 s.</summary>
    public TimeSpan RetryAfter { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Phone numbers of one body that are looked up before its signature is known to be right. Default 8.</summary>
    public int MaxNumbersTried { get; init; } = 8;

    /// <summary>Name of the setting behind <see cref="ConversationsAtOnceOfOrganization"/>.</summary>
    public const string ConversationsAtOnceSetting = "WEBHOOK_CONVERSATIONS_AT_ONCE_OF_ORGANIZATION";

    /// <summary>Conversations of one organization that take in messages at once in this process; more wait. Setting <c>WEBHOOK_CONVERSATIONS_AT_ONCE_OF_ORGANIZATION</c>, default 64.</summary>
    public int ConversationsAtOnceOfOrganization { get; init; } = 64;

    /// <summary>Name of the setting behind <see cref="ConversationsAtOnceAmongOthers"/>.</summary>
    public const string ConversationsAtOnceAmongOthersSetting = "WEBHOOK_CONVERSATIONS_AT_ONCE_AMONG_OTHERS";

    /// <summary>
    /// The same while other organizations ask this process for something. Setting <c>WEBHOOK_CONVERSATIONS_AT_ONCE_AMONG_OTHERS</c>, default 4 for each processor.
    /// </summary>
    public int ConversationsAtOnceAmongOthers { get; init; } = 4 * Environment.ProcessorCount;

    /// <summary>Reads the settings.</summary>
    /// <exception cref="SettingException">A limit is not positive.</exception>
    public static WebhookOptions From(IConfiguration configuration)
    {
        var defaults = new WebhookOptions();
        return defaults with
        {
            MaxBodyBytes = Positive(MaxBodyBytesSetting, defaults.MaxBodyBytes, " of bytes"),
            LargeBodyBytesOfNetwork = Positive(LargeBodyBytesOfNetworkSetting, defaults.LargeBodyBytesOfNetwork, " of bytes"),
            LargeBodyBytes = Positive(LargeBodyBytesSetting, defaults.LargeBodyBytes, " of bytes"),
            BodyBytesOfOrganization = Positive(BodyBytesOfOrganizationSetting, defaults.BodyBytesOfOrganization, " of bytes"),
            BodyTime = TimeSpan.FromSeconds(Positive(BodySecondsSetting, (int)defaults.BodyTime.TotalSeconds, " of seconds")),
            ConversationsAtOnceOfOrganization = Positive(ConversationsAtOnceSetting, defaults.ConversationsAtOnceOfOrganization),
            ConversationsAtOnceAmongOthers = Positive(ConversationsAtOnceAmongOthersSetting, defaults.ConversationsAtOnceAmongOthers),
        };

        int Positive(string name, int otherwise, string what = "") => configuration.Setting(name, otherwise) is > 0 and var value ? value : throw new SettingException($"{name} must be a positive number{what}.");
    }
}
