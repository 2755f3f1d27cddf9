namespace Orleans.Hosting;

/// <summary>How reminders are kept going.</summary>
public sealed class ReminderOptions
{
    /// <summary>The shortest period of a reminder. Default one minute.</summary>
    public TimeSpan MinimumReminderPeriod { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>How often the table is read anew. Default five minutes.</summary>
    public TimeSpan RefreshReminderListPeriod { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>Accepted; here all reminders are held. Default ten minutes.</summary>
    public TimeSpan ReminderLoadingWindow { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>How long the table may take to answer at the start. Default five minutes.</summary>
    public TimeSpan InitializationTimeout { get; set; } = TimeSpan.FromMinutes(5);
}
