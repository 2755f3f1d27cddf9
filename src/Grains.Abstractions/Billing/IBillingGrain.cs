namespace AgentPlatform.Billing;

/// <summary>
/// Moves subscriptions on: periods end and begin, invoices are made and come due, grace ends. Woken by a reminder and by every silo that starts. There is one, with key 0;
/// a second one would do no harm, since each step happens once in the database.
/// </summary>
[Alias("billing.IBillingGrain")]
public interface IBillingGrain : IGrainWithIntegerKey
{
    /// <summary>Starts the reminder. Harmless when it runs.</summary>
    [Alias("Start")]
    Task Start();

    /// <summary>Moves on what is due now, and has conversations woken that wait though the AI may go on; returns how many things happened.</summary>
    [Alias("Advance")]
    Task<int> Advance();
}
