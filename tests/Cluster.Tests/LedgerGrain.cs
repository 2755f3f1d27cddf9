namespace AgentPlatform.Cluster.Tests;

/// <summary>What a ledger holds: the entries in the order in which they were recorded.</summary>
[GenerateSerializer]
[Alias("tests.cluster.ledger")]
internal sealed record Ledger
{
    [Id(0)]
    public List<int> Entries { get; init; } = [];
}

/// <summary>Records entries durably; recording one again changes nothing.</summary>
internal interface ILedgerGrain : IGrainWithStringKey
{
    /// <summary>Returns when the entry is stored.</summary>
    Task Record(int entry);

    /// <summary>All entries.</summary>
    Task<List<int>> Entries();

    /// <summary>The silo that the grain lives on.</summary>
    Task<string> Silo();
}

internal sealed class LedgerGrain([PersistentState("ledger")] IPersistentState<Ledger> ledger, ILocalSiloDetails silo) : Grain, ILedgerGrain
{
    public async Task Record(int entry)
    {
        if (!ledger.State.Entries.Contains(entry))
        {
            ledger.State = new Ledger { Entries = [.. ledger.State.Entries, entry] };
            await ledger.WriteStateAsync();
        }
    }

    public Task<List<int>> Entries() => Task.FromResult(ledger.State.Entries.ToList());

    public Task<string> Silo() => Task.FromResult(silo.SiloAddress.ToParsableString());
}
