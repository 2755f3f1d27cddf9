using AgentPlatform.Conversations;
using AgentPlatform.Data.Conversations;

namespace AgentPlatform.Grains.Conversations;

/// <summary>What members do.</summary>
internal sealed partial class ConversationGrain
{
    public async Task<CommandResult> Send(SendMessage command)
    {
        await Load();
        if (_home is not null)
        {
            return await _home.Send(command);
        }
        if (await Channel() is not { } channel || _state is null || _state.OrganizationId != command.Actor.OrganizationId)
        {
            return new CommandResult { Outcome = CommandOutcome.NotFound };
        }
        if (await services.Store.FindMessage(_state.Id, command.MessageId, CancellationToken.None).OrUnavailable() is { } sequence)
        {
            return new CommandResult { Outcome = CommandOutcome.Done, Conversation = _state.ToView(), MessageId = command.MessageId, Sequence = sequence };
        }
        var connector = services.Connectors.For(channel.Platform);
        var content = connector.Prepare(command.Content);
        if (content.Error is { } reason)
        {
            return new CommandResult { Outcome = CommandOutcome.Invalid, Reason = reason };
        }
        if (_state.IsBlocked)
        {
            return new CommandResult { Outcome = CommandOutcome.Refused, Reason = "The contact is blocked. Unblock it to write." };
        }
        if (_state.Recipient is null)
        {
            return new CommandResult { Outcome = CommandOutcome.Refused, Reason = "The platform gave the customer's name to somebody else, and no other is known: there is nobody to write to." };
        }
        var now = services.Clock.GetUtcNow();
        if (connector.ServiceWindow is { } window && (_state.LastInboundAt is not { } last || now - last > window))
        {
            return new CommandResult
            {
                Outcome = CommandOutcome.Refused,
                Reason = $"The platform allows free text only within {window.TotalHours} hours of the customer's last message.",
            };
        }
        for (var decisions = 1; ; decisions++)
        {
            var first = _state!.LastSequence + 1;
            var plan = CommandDecision.Send(_state, command, content, now, services.NewId);
            if ((await Commit(plan)).Status == CommitStatus.Committed)
            {
                Push();
                return new CommandResult { Outcome = CommandOutcome.Done, Conversation = plan.Next.ToView(), MessageId = command.MessageId, Sequence = first };
            }
            await Again(decisions);
        }
    }

    public async Task<CommandResult> Change(ConversationChange change)
    {
        await Load();
        if (_home is not null)
        {
            return await _home.Change(change);
        }
        for (var decisions = 1; ; decisions++)
        {
            if (_state is null || _state.OrganizationId != change.Actor.OrganizationId)
            {
                return new CommandResult { Outcome = CommandOutcome.NotFound };
            }
            if (!change.ExpectedVersions.IsDefaultOrEmpty && !change.ExpectedVersions.Contains(_state.Version))
            {
                return new CommandResult { Outcome = CommandOutcome.VersionConflict, Conversation = _state.ToView() };
            }
            if (change is { Action: ConversationAction.Note, MessageId: { } id } && await services.Store.FindMessage(_state.Id, id, CancellationToken.None).OrUnavailable() is { } sequence)
            {
                return new CommandResult { Outcome = CommandOutcome.Done, Conversation = _state.ToView(), MessageId = id, Sequence = sequence };
            }
            if (CommandDecision.Change(_state, change, services.Clock.GetUtcNow(), services.NewId) is not { } plan)
            {
                return new CommandResult { Outcome = CommandOutcome.Done, Conversation = _state.ToView() };
            }
            var unread = _state.UnreadCount > 0;
            if ((await Commit(plan)).Status == CommitStatus.Committed)
            {
                if (change.Action == ConversationAction.MarkRead && unread)
                {
                    TellPlatformRead();
                }
                var written = plan.Commit.Messages.Count > 0 ? plan.Commit.Messages[0] : null;
                return new CommandResult { Outcome = CommandOutcome.Done, Conversation = plan.Next.ToView(), MessageId = written?.Id, Sequence = written?.Sequence };
            }
            await Again(decisions);
        }
    }

    /// <summary>A refused commit: read again and decide again, a few times.</summary>
    private async Task Again(int decisions)
    {
        if (decisions >= MaxDecisions)
        {
            throw new StorageUnavailableException("The conversation was changed elsewhere at the same time; try again.");
        }
        await Load();
        if (_state is null)
        {
            throw new StorageUnavailableException("The conversation moved while it was changed; try again.");
        }
    }
}
