using AgentPlatform.Conversations;
using AgentPlatform.Data.Conversations;

namespace AgentPlatform.Grains.Conversations;

/// <summary>What belongs to a message that is stored already, or that has not come yet: parts of an album, edits, deletions.</summary>
internal sealed partial class ConversationGrain
{
    /// <summary>A message that comes later than this may have been overtaken by its edit or deletion long ago.</summary>
    private static readonly TimeSpan LateEnoughToLook = TimeSpan.FromMinutes(1);

    /// <summary>Most edits and deletions remembered for messages that have not come yet.</summary>
    private const int MaxEarlyAmendments = 32;

    private List<MessageAmendment>? _early;

    /// <summary>A part of an album whose first part is in Postgres, but not in memory any more.</summary>
    private async ValueTask<ConversationState> WithAlbum(ConversationState state, InboundBatch batch)
    {
        foreach (var message in batch.Messages)
        {
            if (message.AlbumId is { } id && state.Album?.Id != id && state.Version > 0
                && await services.Store.FindAlbum(state.Id, id, CancellationToken.None).OrUnavailable() is { } album)
            {
                return state with { Album = new AlbumState(id, album.PlatformMessageId, album.Sequence, album.HasText) };
            }
        }
        return state;
    }

    /// <summary>Messages whose edit or deletion came first are stored as they are by now.</summary>
    private async ValueTask<ConversationPlan> WithEarlyAmendments(ConversationPlan plan)
    {
        var rows = plan.Commit.Messages;
        if (rows.Count == 0 || plan.Commit.NewContact is not null)
        {
            return plan;
        }
        var now = services.Clock.GetUtcNow();
        string[] late = [.. rows.Where(row => row is { Direction: "inbound", PlatformMessageId: not null } && row.SentAt < now - LateEnoughToLook).Select(row => row.PlatformMessageId!)];
        var early = (IEnumerable<MessageAmendment>?)_early ?? [];
        if (late.Length > 0)
        {
            early = early.Concat(await services.Store.FindEarlyAmendments(plan.Next.Id, late, CancellationToken.None).OrUnavailable());
        }
        MessageAmendment[] due = [.. early.Where(amendment => rows.Any(row => row.PlatformMessageId == amendment.PlatformMessageId))];
        return due.Length == 0 ? plan : plan with { Commit = plan.Commit with { Amendments = [.. plan.Commit.Amendments, .. due] } };
    }

    /// <summary>Edits and deletions that found no message wait for it.</summary>
    private void RememberEarly(ConversationCommit commit, CommitOutcome outcome)
    {
        _early?.RemoveAll(amendment => outcome.Amended.Contains(amendment.PlatformMessageId));
        foreach (var amendment in commit.Amendments)
        {
            if (amendment.Kind is AmendmentKind.Edit or AmendmentKind.Delete && !outcome.Amended.Contains(amendment.PlatformMessageId) && (_early ??= []).Count < MaxEarlyAmendments)
            {
                _early.Add(amendment);
            }
        }
    }
}
