using System.Diagnostics;
using System.Security.Cryptography;
using AgentPlatform.Bench.Data;
using AgentPlatform.Bench.Measuring;
using AgentPlatform.Data;
using AgentPlatform.Data.Connections;
using AgentPlatform.Data.Conversations;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace AgentPlatform.Bench.Writer;

/// <summary>What the batching writer alone commits: many conversations at once, one inbound message each time, and nothing else in the way.</summary>
public static class WriterCeiling
{
    /// <summary>Commits for so long, after a warm-up.</summary>
    /// <param name="committers">Callers that commit at the same time, each its own conversations in turn.</param>
    public static async Task<WriterResult> RunAsync(BenchDatabase database, int committers, TimeSpan warmUp, TimeSpan duration)
    {
        await using var engine = new EngineDataSource(database.DataOptions);
        await using var writer = new ConversationWriter(engine, Options.Create(new ConversationWriterOptions()), NullLogger<ConversationWriter>.Instance);
        await writer.StartAsync(CancellationToken.None);
        var conversations = await ReadConversations(engine);
        await Commit(writer, conversations, committers, database, warmUp);
        var processors = ProcessorTime.Start(("postgres", () => ProcessorTime.OfTree(database.ServerProcessId)), ("writer", ProcessorTime.Own));
        var clock = Stopwatch.StartNew();
        var latency = await Commit(writer, conversations, committers, database, duration);
        return new WriterResult(latency.Count / clock.Elapsed.TotalSeconds, latency, processors.Stop());
    }

    private static async Task<Histogram> Commit(ConversationWriter writer, Known[] conversations, int committers, BenchDatabase database, TimeSpan duration)
    {
        var end = Stopwatch.GetTimestamp() + (long)(duration.TotalSeconds * Stopwatch.Frequency);
        var all = new Histogram();
        foreach (var histogram in await Task.WhenAll(Enumerable.Range(0, committers).Select(first => Task.Run(() => CommitOwn(writer, conversations, first, committers, database, end)))))
        {
            all.Add(histogram);
        }
        return all;
    }

    private static async Task<Histogram> CommitOwn(ConversationWriter writer, Known[] conversations, int first, int step, BenchDatabase database, long end)
    {
        var latency = new Histogram();
        for (var index = first; Stopwatch.GetTimestamp() < end; index = index + step < conversations.Length ? index + step : first)
        {
            var known = conversations[index];
            var startedAt = Stopwatch.GetTimestamp();
            var outcome = await writer.Commit(Next(known, database));
            if (outcome.Status != CommitStatus.Committed)
            {
                throw new InvalidOperationException($"A commit that nothing stood in the way of ended as {outcome.Status}.");
            }
            latency.Record((long)Stopwatch.GetElapsedTime(startedAt).TotalMicroseconds);
            known.Version++;
            known.Sequence++;
        }
        return latency;
    }

    private static ConversationCommit Next(Known known, BenchDatabase database)
    {
        var now = TimeProvider.System.GetUtcNow();
        Span<byte> random = stackalloc byte[32];
        RandomNumberGenerator.Fill(random);
        return new ConversationCommit
        {
            ConversationId = known.Id,
            OrganizationId = database.OrganizationId,
            ChannelId = database.ChannelId,
            ContactId = known.ContactId,
            Advance = new ConversationAdvance
            {
                ExpectedVersion = known.Version,
                Status = "active",
                ManagedBy = "ai",
                Epoch = 0,
                LastSequence = known.Sequence + 1,
                LastMessageAt = now,
                LastInboundAt = now,
                LastInteractionAt = now,
                AiEnabled = true,
                LastMessagePreview = "Good day, is there still a place on the tour of 3 May for two people?",
                UnreadCount = 1,
            },
            Messages =
            [
                new NewMessage
                {
                    Id = Uuid.New(TimeProvider.System),
                    Sequence = known.Sequence + 1,
                    Direction = "inbound",
                    SenderType = "user",
                    ContentType = "text",
                    Status = "received",
                    Text = "Good day, is there still a place on the tour of 3 May for two people?",
                    PlatformMessageId = "wamid." + Convert.ToBase64String(random),
                    PlatformTimestamp = now,
                    SentAt = now,
                },
            ],
        };
    }

    private static async Task<Known[]> ReadConversations(EngineDataSource engine)
    {
        await using var command = engine.CreateCommand("SELECT id, contact_id, version, last_sequence FROM conversations ORDER BY id");
        await using var reader = await command.ExecuteReaderAsync();
        var found = new List<Known>();
        while (await reader.ReadAsync())
        {
            found.Add(new Known { Id = reader.GetGuid(0), ContactId = reader.GetGuid(1), Version = reader.GetInt64(2), Sequence = reader.GetInt64(3) });
        }
        return [.. found];
    }

    private sealed class Known
    {
        public required Guid Id { get; init; }
        public required Guid ContactId { get; init; }
        public long Version { get; set; }
        public long Sequence { get; set; }
    }
}

/// <summary>What the writer did.</summary>
/// <param name="PerSecond">Commits a second.</param>
/// <param name="Latency">From the call to durable.</param>
public sealed record WriterResult(double PerSecond, Histogram Latency, ProcessorShares Processors);
