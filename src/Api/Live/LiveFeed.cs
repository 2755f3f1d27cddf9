using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Conversations;
using AgentPlatform.Api.Jobs;
using AgentPlatform.Api.Notifications;
using AgentPlatform.Api.Resources;
using AgentPlatform.Api.Shapes;
using AgentPlatform.Data.Connections;
using AgentPlatform.Data.Tenancy;
using Npgsql;
using NpgsqlTypes;

namespace AgentPlatform.Api.Live;

/// <summary>A row of the feed.</summary>
/// <param name="CreatedAt">Where a message stood when it was new.</param>
/// <param name="Json">The resource as reads show it.</param>
internal sealed record LiveRow(LivePosition Position, LivePosition CreatedAt, ReadOnlyMemory<byte> Json)
{
    /// <summary>The one member whom the row is for; null for all.</summary>
    public Guid? Audience { get; init; }

    /// <summary>What reads it: a caller who may not read it there gets no word of it here.</summary>
    public required Resource Resource { get; init; }

    /// <summary>Whether a caller may see it. What a person is told isn't for the programs that act for that person.</summary>
    public bool IsFor(Caller caller) =>
        caller.Role >= Resource.Read && ApiKeyScopes.Allow(caller, ApiKeyScopes.OfReading(Resource)) && (Audience is null || (Audience == caller.UserId && caller.ApiKeyId is null));

    /// <summary>The event's type for a reader who has seen everything up to a position.</summary>
    public string TypeFor(LivePosition seen) => Position.Kind switch
    {
        LiveKind.Conversation => "conversation.updated",
        LiveKind.Job => "job.updated",
        LiveKind.Notification => "notification.updated",
        _ => CreatedAt.CompareTo(seen) > 0 ? "message.created" : "message.updated",
    };
}

/// <summary>Rows that follow a position, in order.</summary>
/// <param name="From">The position that they follow.</param>
/// <param name="IsFull">There may be more at once.</param>
/// <param name="Pending">The first row that isn't final yet, for which to look again soon; null when all are.</param>
internal sealed record LiveBatch(LivePosition From, IReadOnlyList<LiveRow> Rows, bool IsFull, LivePosition? Pending)
{
    public LivePosition To => Rows.Count > 0 ? Rows[^1].Position : From;
}

/// <summary>Reads an organization's messages, conversations, jobs and notifications in the order in which they became final.</summary>
internal sealed class LiveFeed(ApiDataSource database, IServiceProvider services)
{
    /// <summary>Most rows of a kind read at once.</summary>
    public const int Limit = 200;

    private static readonly (LiveKind Kind, Resource Resource, string Created)[] Sources =
    [
        (LiveKind.Message, MessageResource.Messages, "t.created_in"),
        (LiveKind.Conversation, ConversationResource.Conversations, "t.changed_in"),
        (LiveKind.Job, JobResource.Jobs, "t.changed_in"),
        (LiveKind.Notification, NotificationResource.Notifications, "t.created_in"),
    ];

    private static readonly string[] Statements = [.. Sources.Select(source => $"""
        {ResourceSql.Of(source.Resource).SelectListAnd($"t.changed_in, {source.Created}, (SELECT live_feed_horizon($4))")}
        WHERE t.organization_id = $1 AND (t.changed_in, t.id) > ($2, $3) ORDER BY t.changed_in, t.id LIMIT {Limit}
        """)];

    /// <summary>The present end of every organization's feed, and what no position has reached yet.</summary>
    public async Task<(LivePosition End, LivePosition Future)> End(CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("SELECT live_feed_horizon(true), pg_snapshot_xmax(pg_current_snapshot())");
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        await row.ReadAsync(cancellationToken);
        return (LivePosition.At(row.GetFieldValue<ulong>(0)), LivePosition.At(row.GetFieldValue<ulong>(1)));
    }

    /// <summary>What follows a position; one round trip.</summary>
    /// <param name="isThorough">Waits only for transactions that may write something live, which costs a look at all of the server's processes.</param>
    public async Task<LiveBatch> Next(Guid organizationId, LivePosition position, bool isThorough, CancellationToken cancellationToken)
    {
        await using var session = await TenantSession.OpenAsync(database, new Tenant(organizationId), cancellationToken);
        await using var batch = session.CreateBatch();
        for (var index = 0; index < Sources.Length; index++)
        {
            batch.BatchCommands.Add(new NpgsqlBatchCommand(Statements[index])
            {
                Parameters =
                {
                    new() { Value = organizationId },
                    new() { Value = position.ChangedIn, NpgsqlDbType = NpgsqlDbType.Xid8 },
                    new() { Value = position.BoundOf(Sources[index].Kind) },
                    new() { Value = isThorough },
                },
            });
        }

        var rows = new List<LiveRow>();
        var horizon = ulong.MaxValue;
        LivePosition? bound = null;
        await using (var reader = await batch.ExecuteReaderAsync(cancellationToken))
        {
            foreach (var (kind, resource, _) in Sources)
            {
                var before = rows.Count;
                while (await reader.ReadAsync(cancellationToken))
                {
                    rows.Add(Read(reader, kind, resource, organizationId, ref horizon));
                }
                // Beyond the last row of a kind that was cut off, its rows aren't known.
                if (rows.Count - before == Limit && (bound is null || rows[^1].Position.CompareTo(bound.Value) < 0))
                {
                    bound = rows[^1].Position;
                }
                await reader.NextResultAsync(cancellationToken);
            }
        }
        await session.CommitAsync(cancellationToken);

        var final = rows.Where(row => row.Position.ChangedIn < horizon && (bound is null || row.Position.CompareTo(bound.Value) <= 0))
            .OrderBy(row => row.Position).ToArray();
        var pending = rows.Where(row => row.Position.ChangedIn >= horizon).Select(row => (LivePosition?)row.Position).Min();
        return new LiveBatch(position, final, bound is not null && final.Length > 0, pending);
    }

    private LiveRow Read(NpgsqlDataReader reader, LiveKind kind, Resource resource, Guid organizationId, ref ulong horizon)
    {
        var fields = ResourceSql.Of(resource).Listed;
        var row = ResourceRow.Read(resource, fields, reader, new FieldReadContext(services, organizationId));
        // Each statement has its own horizon; below the lowest, both are final.
        horizon = Math.Min(horizon, reader.GetFieldValue<ulong>(fields.Length + 2));
        return new LiveRow(
            new(reader.GetFieldValue<ulong>(fields.Length), kind, row.Id), new(reader.GetFieldValue<ulong>(fields.Length + 1), kind, row.Id), row.Json)
        {
            Resource = resource,
            Audience = resource.IsOfCaller ? row.Get<Guid>("userId") : null,
        };
    }
}
