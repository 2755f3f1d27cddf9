using AgentPlatform.Runtime.Tests.Support;
using Orleans.Storage;

namespace AgentPlatform.Runtime.Tests.Persistence;

[GenerateSerializer]
[Alias("tests.runtime.notes")]
internal sealed record Notes
{
    [Id(0)]
    public List<string> Lines { get; init; } = [];
}

internal interface INoteGrain : IGrainWithStringKey
{
    Task<IReadOnlyList<string>> Read();

    Task Add(string line);

    Task<string> AddCarefully(string line);

    Task Clear();

    Task<(bool Stored, string? Etag)> Stored();
}

internal interface INoteByGuidGrain : IGrainWithGuidKey
{
    Task<int> Add();
}

internal interface INoteByIntegerGrain : IGrainWithIntegerCompoundKey
{
    Task<int> Add();
}

internal sealed class NoteGrain([PersistentState("notes")] IPersistentState<Notes> notes) : Grain, INoteGrain
{
    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        Signals.Report("left " + this.GetPrimaryKeyString());
        return Task.CompletedTask;
    }

    public Task<IReadOnlyList<string>> Read() => Task.FromResult<IReadOnlyList<string>>([.. notes.State.Lines]);

    public Task Add(string line)
    {
        notes.State = new Notes { Lines = [.. notes.State.Lines, line] };
        return notes.WriteStateAsync();
    }

    public async Task<string> AddCarefully(string line)
    {
        try
        {
            await Add(line);
            return "written";
        }
        catch (InconsistentStateException)
        {
            await notes.ReadStateAsync();
            return "conflict";
        }
    }

    public Task Clear() => notes.ClearStateAsync();

    public Task<(bool Stored, string? Etag)> Stored() => Task.FromResult((notes.RecordExists, notes.Etag));
}

internal sealed class NoteByGuidGrain([PersistentState("counts")] IPersistentState<Notes> notes) : Grain, INoteByGuidGrain
{
    public async Task<int> Add()
    {
        notes.State.Lines.Add("x");
        await notes.WriteStateAsync();
        return notes.State.Lines.Count;
    }
}

internal sealed class NoteByIntegerGrain([PersistentState("counts")] IPersistentState<Notes> notes) : Grain, INoteByIntegerGrain
{
    public async Task<int> Add()
    {
        notes.State.Lines.Add("x");
        await notes.WriteStateAsync();
        return notes.State.Lines.Count;
    }
}

internal interface IAlarmGrain : IGrainWithStringKey
{
    Task Set(string reminder, TimeSpan period);

    Task Unset(string reminder);

    Task<IReadOnlyList<string>> Names();
}

internal sealed class AlarmGrain : Grain, IAlarmGrain, IRemindable
{
    public Task Set(string reminder, TimeSpan period) => this.RegisterOrUpdateReminder(reminder, TimeSpan.FromMilliseconds(50), period);

    public async Task Unset(string reminder)
    {
        if (await this.GetReminder(reminder) is { } known)
        {
            await this.UnregisterReminder(known);
        }
    }

    public async Task<IReadOnlyList<string>> Names() => [.. (await this.GetReminders()).Select(reminder => reminder.ReminderName).Order()];

    public Task ReceiveReminder(string reminderName, TickStatus status)
    {
        if (status.CurrentTickTime >= status.FirstTickTime.AddMilliseconds(-1) && status.FirstTickTime.Kind == DateTimeKind.Utc)
        {
            Signals.Report($"{reminderName} rang at {this.GetPrimaryKeyString()}");
        }

        return Task.CompletedTask;
    }
}
