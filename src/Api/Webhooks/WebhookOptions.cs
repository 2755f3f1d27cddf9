using AgentPlatform.Data;

namespace AgentPlatform.Api.Webhooks;

/// <summary>Limits of incoming webhooks.</summary>
public sealed record WebhookOptions
{
    /// <summary>Name of the setting behind <see cref="MaxBodyBytes"/>.</summary>
    public const string MaxBodyBytesSetting = "WEBHOOK_MAX_BODY_BYTES";

    /// <summary>Largest body accepted, in bytes; larger ones are answered 413. Setting <c>WEBHOOK_MAX_BODY_BYTES</c>, default 3 MiB (Meta batches up to that).</summary>
    public int MaxBodyBytes { get; init; } = 3 * 1024 * 1024;

    /// <summary>When platforms are asked to come again while the database or the engine is away. Default 2 s.</summary>
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
            ConversationsAtOnceOfOrganization = Positive(ConversationsAtOnceSetting, defaults.ConversationsAtOnceOfOrganization),
            ConversationsAtOnceAmongOthers = Positive(ConversationsAtOnceAmongOthersSetting, defaults.ConversationsAtOnceAmongOthers),
        };

        int Positive(string name, int otherwise, string what = "") => configuration.Setting(name, otherwise) is > 0 and var value ? value : throw new SettingException($"{name} must be a positive number{what}.");
    }
}
