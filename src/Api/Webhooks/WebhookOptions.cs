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

    /// <summary>Reads the settings.</summary>
    /// <exception cref="InvalidOperationException">A limit is not positive.</exception>
    public static WebhookOptions From(IConfiguration configuration)
    {
        var defaults = new WebhookOptions();
        var maxBodyBytes = configuration.GetValue(MaxBodyBytesSetting, defaults.MaxBodyBytes);
        return maxBodyBytes > 0
            ? defaults with { MaxBodyBytes = maxBodyBytes }
            : throw new InvalidOperationException($"{MaxBodyBytesSetting} must be a positive number of bytes.");
    }
}
