using Npgsql;
using NpgsqlTypes;

namespace AgentPlatform.Data.Conversations;

/// <summary>Turns commits into the arrays of <see cref="ConversationCommitStatements"/>, runs them in one transaction, and reads the outcomes.</summary>
internal static class ConversationBatch
{
    private const NpgsqlDbType Uuids = NpgsqlDbType.Array | NpgsqlDbType.Uuid;
    private const NpgsqlDbType Texts = NpgsqlDbType.Array | NpgsqlDbType.Text;
    private const NpgsqlDbType Jsons = NpgsqlDbType.Array | NpgsqlDbType.Jsonb;
    private const NpgsqlDbType Times = NpgsqlDbType.Array | NpgsqlDbType.TimestampTz;
    private const NpgsqlDbType Longs = NpgsqlDbType.Array | NpgsqlDbType.Bigint;
    private const NpgsqlDbType Ints = NpgsqlDbType.Array | NpgsqlDbType.Integer;
    private const NpgsqlDbType Booleans = NpgsqlDbType.Array | NpgsqlDbType.Boolean;
    private const NpgsqlDbType Numerics = NpgsqlDbType.Array | NpgsqlDbType.Numeric;
    private const NpgsqlDbType Dates = NpgsqlDbType.Array | NpgsqlDbType.Date;

    /// <summary>Commits in a batch from which on messages flood in: one alone or a few together sort their conversations exactly.</summary>
    private const int FloodSize = 16;

    /// <summary>How far <c>conversations.last_message_at</c> may stay behind while messages flood in.</summary>
    private static readonly TimeSpan SortingLag = TimeSpan.FromSeconds(10);

    /// <summary>A batch of statements outside BEGIN and COMMIT is one implicit transaction and one round trip.</summary>
    public static async Task Execute(NpgsqlConnection connection, List<Pending> batch, TimeSpan timeout, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlBatch(connection) { Timeout = (int)timeout.TotalSeconds };
        var advancing = batch.Where(static p => p.Commit.Advance is not null).ToArray();
        var readers = new List<Func<NpgsqlDataReader, CancellationToken, Task>?>();

        AddMeet(command, readers, advancing);
        AddAdvance(command, readers, advancing);
        AddContactNews(command, readers, batch);
        AddAmendments(command, readers, advancing);
        AddTurns(command, readers, advancing);
        AddMarkRead(command, readers, advancing);
        AddAudit(command, readers, advancing);
        AddDeliver(command, readers, batch);
        AddUsage(command, readers, advancing);

        await using var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        foreach (var read in readers)
        {
            // Statements that return no rows have no result of their own in the reader.
            if (read is not null)
            {
                await read(reader, cancellationToken).ConfigureAwait(false);
                await reader.NextResultAsync(cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private static void AddMeet(NpgsqlBatch batch, List<Func<NpgsqlDataReader, CancellationToken, Task>?> readers, Pending[] advancing)
    {
        var met = advancing.Where(static p => p.Commit.NewContact is not null).Select(static p => (p.Commit, Contact: p.Commit.NewContact!)).ToArray();
        if (met.Length == 0)
        {
            return;
        }
        Add(batch, readers, ConversationCommitStatements.Meet, null,
            (Uuids, Array(met, static m => m.Commit.ConversationId)), (Uuids, Array(met, static m => m.Commit.ContactId)),
            (Uuids, Array(met, static m => m.Commit.OrganizationId)), (Uuids, Array(met, static m => m.Commit.ChannelId)),
            (Texts, Array(met, static m => m.Contact.Platform)), (Texts, Array(met, static m => m.Contact.PlatformUserId)),
            (Texts, Array(met, static m => m.Contact.Name)), (Texts, Array(met, static m => m.Contact.Username)),
            (Texts, Array(met, static m => m.Contact.Phone)), (Texts, Array(met, static m => m.Contact.Language)),
            (Times, Array(met, static m => m.Commit.Advance!.LastInteractionAt)),
            (Uuids, met.SelectMany(static m => m.Contact.Identities.Select(_ => m.Commit.ContactId)).ToArray()),
            (Texts, met.SelectMany(static m => m.Contact.Identities).ToArray()),
            (Texts, Array(met, static m => m.Contact.FirstIdentity)), (Booleans, Array(met, static m => m.Contact.IsGroup)));
    }

    private static void AddContactNews(NpgsqlBatch batch, List<Func<NpgsqlDataReader, CancellationToken, Task>?> readers, List<Pending> all)
    {
        var told = all.Where(static p => p.Commit.ContactNews is not null).Select(static p => (p.Commit.ContactId, News: p.Commit.ContactNews!, IsWithAdvance: p.Commit.Advance is not null)).ToArray();
        if (told.Length == 0)
        {
            return;
        }
        Add(batch, readers, ConversationCommitStatements.ContactNews, null,
            (Uuids, Array(told, static n => n.ContactId)), (Texts, Array(told, static n => n.News.Name)), (Texts, Array(told, static n => n.News.Username)),
            (Texts, Array(told, static n => n.News.Phone)), (Texts, Array(told, static n => n.News.UnreachableReason)), (Texts, Array(told, static n => n.News.PlatformUserId)),
            (Booleans, Array(told, static n => n.News.IsMuted)), (Booleans, Array(told, static n => n.News.IsBlocked)), (Booleans, Array(told, static n => n.News.GivenUp.Count > 0)),
            (Booleans, Array(told, static n => n.IsWithAdvance)),
            (Uuids, told.SelectMany(static n => n.News.GivenUp.Select(_ => n.ContactId)).ToArray()),
            (Texts, told.SelectMany(static n => n.News.GivenUp.Select(static g => g.Identity)).ToArray()),
            (Times, told.SelectMany(static n => n.News.GivenUp.Select(static g => g.At)).ToArray()),
            (Uuids, told.SelectMany(static n => n.News.NewIdentities.Select(_ => n.ContactId)).ToArray()),
            (Texts, told.SelectMany(static n => n.News.NewIdentities).ToArray()));
    }

    private static void AddAmendments(NpgsqlBatch batch, List<Func<NpgsqlDataReader, CancellationToken, Task>?> readers, Pending[] advancing)
    {
        var amended = advancing.SelectMany(static p => p.Commit.Amendments.Select(row => (p.Commit, Row: row))).ToArray();
        if (amended.Length == 0)
        {
            return;
        }
        var byId = advancing.ToDictionary(static p => p.Commit.ConversationId);
        Add(batch, readers, ConversationCommitStatements.Amend, ReadAmended,
            (Uuids, Array(amended, static a => a.Commit.ConversationId)), (Uuids, Array(amended, static a => a.Commit.ChannelId)), (Texts, Array(amended, static a => a.Row.PlatformMessageId)),
            (Texts, Array(amended, static a => KindOf(a.Row.Kind))), (Texts, Array(amended, static a => a.Row.Text)), (Texts, Array(amended, static a => a.Row.AttachmentUrl)),
            (Jsons, Array(amended, static a => a.Row.AttachmentMetadata)), (Jsons, Array(amended, static a => a.Row.Payload)), (Jsons, Array(amended, static a => a.Row.Attachment)),
            (Times, Array(amended, static a => a.Row.At)));
        Add(batch, readers, ConversationCommitStatements.Preview, ReadPreviews, (Uuids, amended.Select(static a => a.Commit.ConversationId).Distinct().ToArray()));

        async Task ReadAmended(NpgsqlDataReader reader, CancellationToken cancellationToken)
        {
            while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
            {
                byId[reader.GetGuid(0)].AddAmended(reader.GetString(1));
            }
        }

        async Task ReadPreviews(NpgsqlDataReader reader, CancellationToken cancellationToken)
        {
            while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
            {
                byId[reader.GetGuid(0)].Preview = reader.Text(1);
            }
        }
    }

    private static string KindOf(AmendmentKind kind) => kind switch
    {
        AmendmentKind.Edit => "edit",
        AmendmentKind.Delete => "delete",
        AmendmentKind.Update => "update",
        AmendmentKind.Attach => "attach",
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "Not a kind of amendment."),
    };

    private static void AddAdvance(NpgsqlBatch batch, List<Func<NpgsqlDataReader, CancellationToken, Task>?> readers, Pending[] advancing)
    {
        if (advancing.Length == 0)
        {
            return;
        }
        var count = 0;
        foreach (var pending in advancing)
        {
            count += pending.Commit.Messages.Count;
        }
        var messages = new (ConversationCommit Commit, NewMessage Row)[count];
        var next = 0;
        foreach (var pending in advancing)
        {
            foreach (var row in pending.Commit.Messages)
            {
                messages[next++] = (pending.Commit, row);
            }
        }
        Add(batch, readers, ConversationCommitStatements.Advance, ReadOutcomes,
            (Uuids, Array(advancing, static p => p.Commit.ConversationId)), (Longs, Array(advancing, static p => p.Commit.Advance!.ExpectedVersion)),
            (Texts, Array(advancing, static p => p.Commit.Advance!.Status)), (Texts, Array(advancing, static p => p.Commit.Advance!.ManagedBy)),
            (Uuids, Array(advancing, static p => p.Commit.Advance!.AssignedTo)), (Ints, Array(advancing, static p => p.Commit.Advance!.Epoch)),
            (Longs, Array(advancing, static p => p.Commit.Advance!.LastSequence)), (Times, Array(advancing, static p => p.Commit.Advance!.LastMessageAt)),
            (Times, Array(advancing, static p => p.Commit.Advance!.LastInboundAt)), (Times, Array(advancing, static p => p.Commit.Advance!.EndedAt)),
            (Uuids, Array(advancing, static p => p.Commit.ContactId)), (Booleans, Array(advancing, static p => p.Commit.Advance!.AiEnabled)),
            (Times, Array(advancing, static p => p.Commit.Advance!.LastInteractionAt)), (Texts, Array(advancing, static p => p.Commit.Advance!.LastMessagePreview)),
            (Ints, Array(advancing, static p => p.Commit.Advance!.UnreadCount)),
            (Uuids, Array(messages, static m => m.Row.Id)), (Uuids, Array(messages, static m => m.Commit.OrganizationId)),
            (Uuids, Array(messages, static m => m.Commit.ConversationId)), (Uuids, Array(messages, static m => m.Commit.ChannelId)),
            (Uuids, Array(messages, static m => m.Commit.ContactId)), (Uuids, Array(messages, static m => m.Row.TurnId)), (Uuids, Array(messages, static m => m.Row.SenderId)),
            (Longs, Array(messages, static m => m.Row.Sequence)), (Texts, Array(messages, static m => m.Row.Direction)), (Texts, Array(messages, static m => m.Row.SenderType)),
            (Texts, Array(messages, static m => m.Row.ContentType)), (Texts, Array(messages, static m => m.Row.Status)), (Texts, Array(messages, static m => m.Row.Text)),
            (Texts, Array(messages, static m => m.Row.AttachmentUrl)), (Jsons, Array(messages, static m => m.Row.AttachmentMetadata)), (Jsons, Array(messages, static m => m.Row.Payload)),
            (Texts, Array(messages, static m => m.Row.PlatformMessageId)), (Texts, Array(messages, static m => m.Row.ReplyToPlatformId)),
            (Times, Array(messages, static m => m.Row.PlatformTimestamp)), (Times, Array(messages, static m => m.Row.SentAt)),
            (Booleans, Array(advancing, static p => p.Commit.Messages.Count == 0)), (NpgsqlDbType.Interval, advancing.Length < FloodSize ? TimeSpan.Zero : SortingLag),
            (Dates, Array(advancing, static p => p.Commit.Advance!.CountedMonth)), (Booleans, Array(messages, static m => m.Row.IsRead)));

        async Task ReadOutcomes(NpgsqlDataReader reader, CancellationToken cancellationToken)
        {
            var byId = advancing.Length == 1 ? null : advancing.ToDictionary(static p => p.Commit.ConversationId);
            while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
            {
                var pending = byId is null ? advancing[0] : byId[reader.GetGuid(0)];
                if (await reader.IsDBNullAsync(1, cancellationToken).ConfigureAwait(false))
                {
                    pending.Advanced = true;
                }
                else
                {
                    pending.AddDuplicate(reader.GetString(1));
                }
            }
        }
    }

    private static void AddTurns(NpgsqlBatch batch, List<Func<NpgsqlDataReader, CancellationToken, Task>?> readers, Pending[] advancing)
    {
        var turns = advancing.Where(static p => p.Commit.Turn is not null).Select(static p => (p.Commit, Row: p.Commit.Turn!)).ToArray();
        if (turns.Length == 0)
        {
            return;
        }
        Add(batch, readers, ConversationCommitStatements.Turns, null,
            (Uuids, Array(turns, static t => t.Row.Id)), (Uuids, Array(turns, static t => t.Commit.OrganizationId)), (Uuids, Array(turns, static t => t.Commit.ConversationId)),
            (Uuids, Array(turns, static t => t.Row.AgentId)), (Uuids, Array(turns, static t => t.Row.InstanceId)), (Texts, Array(turns, static t => t.Row.State)),
            (Ints, Array(turns, static t => t.Row.Attempt)), (Ints, Array(turns, static t => t.Row.Epoch)), (Longs, Array(turns, static t => t.Row.FirstSequence)),
            (Longs, Array(turns, static t => t.Row.LastSequence)), (Times, Array(turns, static t => t.Row.DueAt)), (Times, Array(turns, static t => t.Row.StartedAt)),
            (Times, Array(turns, static t => t.Row.FinishedAt)), (Texts, Array(turns, static t => t.Row.Outcome)), (Texts, Array(turns, static t => t.Row.Responder)),
            (Texts, Array(turns, static t => t.Row.Provider)), (Texts, Array(turns, static t => t.Row.Model)), (Uuids, Array(turns, static t => t.Row.PromptVariantId)),
            (Jsons, Array(turns, static t => t.Row.Prompt)), (Jsons, Array(turns, static t => t.Row.Passages)), (Jsons, Array(turns, static t => t.Row.ToolCalls)),
            (Ints, Array(turns, static t => t.Row.InputTokens)), (Ints, Array(turns, static t => t.Row.OutputTokens)), (Booleans, Array(turns, static t => t.Row.TokensEstimated)),
            (Numerics, Array(turns, static t => t.Row.Cost)), (Jsons, Array(turns, static t => t.Row.Timings)), (Texts, Array(turns, static t => t.Row.Error)),
            (Texts, Array(turns, static t => t.Row.TraceId)));
    }

    private static void AddUsage(NpgsqlBatch batch, List<Func<NpgsqlDataReader, CancellationToken, Task>?> readers, Pending[] advancing)
    {
        var ended = advancing.Where(static p => p.Commit.Turn is { FinishedAt: not null }).Select(static p => (p.Commit, Row: p.Commit.Turn!)).ToArray();
        if (ended.Length == 0)
        {
            return;
        }
        Add(batch, readers, ConversationCommitStatements.Usage, null,
            (Uuids, Array(ended, static t => t.Commit.ConversationId)), (Uuids, Array(ended, static t => t.Commit.OrganizationId)),
            (Dates, Array(ended, static t => DateOnly.FromDateTime(t.Row.FinishedAt!.Value.UtcDateTime))),
            (Ints, Array(ended, static t => Replies(t.Commit))), (Longs, Array(ended, static t => (long)t.Row.InputTokens + t.Row.OutputTokens)),
            (Ints, Array(ended, static _ => 1)), (Ints, Array(ended, static t => t.Row.Error is null ? 0 : 1)),
            (Ints, Array(ended, static t => t.Commit.CountsConversation ? 1 : 0)),
            (Ints, Array(ended, static t => t.Row.State == "completed" ? (int)(t.Row.LastSequence - t.Row.FirstSequence) + 1 + Replies(t.Commit) : 0)));
    }

    private static int Replies(ConversationCommit commit) => commit.Messages.Count(static message => message.SenderType == "ai");

    private static void AddMarkRead(NpgsqlBatch batch, List<Func<NpgsqlDataReader, CancellationToken, Task>?> readers, Pending[] advancing)
    {
        var read = advancing.Where(static p => p.Commit.Advance!.MarksRead).Select(static p => p.Commit.ConversationId).ToArray();
        if (read.Length > 0)
        {
            Add(batch, readers, ConversationCommitStatements.MarkRead, null, (Uuids, read));
        }
    }

    private static void AddAudit(NpgsqlBatch batch, List<Func<NpgsqlDataReader, CancellationToken, Task>?> readers, Pending[] advancing)
    {
        var entries = advancing.Where(static p => p.Commit.Audit is not null).Select(static p => (p.Commit, Row: p.Commit.Audit!)).ToArray();
        if (entries.Length == 0)
        {
            return;
        }
        Add(batch, readers, ConversationCommitStatements.Audit, null,
            (Uuids, Array(entries, static a => a.Row.Id)), (Uuids, Array(entries, static a => a.Commit.OrganizationId)), (Uuids, Array(entries, static a => a.Commit.ConversationId)),
            (Uuids, Array(entries, static a => a.Row.UserId)), (Texts, Array(entries, static a => a.Row.ActionType)), (Jsons, Array(entries, static a => a.Row.Before)),
            (Jsons, Array(entries, static a => a.Row.After)), (Texts, Array(entries, static a => a.Row.IpAddress)), (Texts, Array(entries, static a => a.Row.UserAgent)),
            (Uuids, Array(entries, static a => a.Row.ApiKeyId)));
    }

    private static void AddDeliver(NpgsqlBatch batch, List<Func<NpgsqlDataReader, CancellationToken, Task>?> readers, List<Pending> all)
    {
        var changes = all.SelectMany(static p => p.Commit.Deliveries.Select((row, index) => (Pending: p, Row: row, Index: index))).ToArray();
        if (changes.Length == 0)
        {
            return;
        }
        Add(batch, readers, ConversationCommitStatements.Deliver, ReadMoved,
            (Uuids, Array(changes, static d => d.Pending.Commit.OrganizationId)), (Uuids, Array(changes, static d => d.Pending.Commit.ChannelId)),
            (Uuids, Array(changes, static d => d.Row.MessageId)), (Texts, Array(changes, static d => d.Row.PlatformMessageId)), (Texts, Array(changes, static d => d.Row.Status)),
            (Texts, Array(changes, static d => d.Row.ErrorCode)), (Texts, Array(changes, static d => d.Row.Error)), (Times, Array(changes, static d => d.Row.At)),
            (Booleans, Array(changes, static d => d.Row.IsReceipt)), (Ints, Array(changes, static d => d.Row.AgainBelowAttempts)),
            (Uuids, Array(changes, static d => d.Pending.Commit.Advance is null ? (Guid?)null : d.Pending.Commit.ConversationId)));
        var sent = changes.Where(static d => d.Row is { IsReceipt: false, Status: "sent", PlatformMessageId: not null }).ToArray();
        if (sent.Length > 0)
        {
            Add(batch, readers, ConversationCommitStatements.Early, ReadEarly, (Uuids, Array(sent, static d => d.Pending.Commit.ChannelId)), (Texts, Array(sent, static d => d.Row.PlatformMessageId)));
        }

        async Task ReadMoved(NpgsqlDataReader reader, CancellationToken cancellationToken)
        {
            while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
            {
                var (pending, _, index) = changes[reader.GetInt64(0) - 1];
                if (reader.Value<Guid>(1) is { } messageId)
                {
                    pending.AddMoved(new MovedDelivery(
                        index, messageId, reader.GetGuid(2), reader.GetGuid(3), reader.GetString(4), reader.GetString(5), reader.Text(6), reader.GetBoolean(7)));
                }
                else
                {
                    pending.AddUnfound(index);
                }
            }
        }

        async Task ReadEarly(NpgsqlDataReader reader, CancellationToken cancellationToken)
        {
            while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
            {
                sent[reader.GetInt64(0) - 1].Pending.AddEarly(EarlyReceipts.Read(reader, 1));
            }
        }
    }

    private static void Add(NpgsqlBatch batch, List<Func<NpgsqlDataReader, CancellationToken, Task>?> readers, string statement,
        Func<NpgsqlDataReader, CancellationToken, Task>? read, params ReadOnlySpan<(NpgsqlDbType Type, object Values)> columns)
    {
        var command = new NpgsqlBatchCommand(statement);
        foreach (var (type, values) in columns)
        {
            command.Parameters.Add(new NpgsqlParameter { NpgsqlDbType = type, Value = values });
        }
        batch.BatchCommands.Add(command);
        readers.Add(read);
    }

    private static TColumn[] Array<TRow, TColumn>(TRow[] rows, Func<TRow, TColumn> column)
    {
        var values = new TColumn[rows.Length];
        for (var i = 0; i < rows.Length; i++)
        {
            values[i] = column(rows[i]);
        }
        return values;
    }
}
