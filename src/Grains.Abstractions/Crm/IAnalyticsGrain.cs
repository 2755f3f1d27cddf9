namespace AgentPlatform.Crm;

/// <summary>Refreshes the views of analytics on a schedule. Woken by a reminder. There is one, with key 0; a second one would do no harm.</summary>
[Alias("crm.IAnalyticsGrain")]
public interface IAnalyticsGrain : IGrainWithIntegerKey
{
    /// <summary>Starts the reminder. Harmless when it runs.</summary>
    [Alias("Start")]
    Task Start();

    /// <summary>Refreshes now, and returns when it is done.</summary>
    [Alias("Refresh")]
    Task Refresh();
}
