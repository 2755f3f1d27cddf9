using System.Security.Cryptography;
using AgentPlatform.Data;
using AgentPlatform.Data.Jobs;
using AgentPlatform.Data.Tenancy;
using AgentPlatform.Data.Texts;

namespace AgentPlatform.Grains.Archives;

/// <summary>
/// The people of an archive. Those are known whose e-mail address is a member's here; nobody else is looked for, whether or not he or she has an account, so that an archive tells
/// nothing about strangers and gives nobody anything. Who was an active member is invited instead, in the role of the archive or the importer's own where that is lower, without an e-mail: the
/// list of invitations shows them, and inviting an address again makes a link. Nobody here becomes more than he or she is.
/// </summary>
internal static class ArchivePeople
{
    /// <summary>Finds the members among the archive's people; returns the addresses of the others by their ids in the archive.</summary>
    public static async Task<IReadOnlyDictionary<Guid, string>> Recognise(Restore restore, IColumnRule email, CancellationToken cancellationToken)
    {
        // Whoever is referred to stays a member while this lasts, as a foreign key would see to.
        await restore.Execute("SELECT FROM organization_members m WHERE m.organization_id = $1 FOR KEY SHARE", cancellationToken, restore.OrganizationId).ConfigureAwait(false);
        var strangers = new Dictionary<Guid, string>();
        await foreach (var row in restore.Archive.Rows("users", cancellationToken).ConfigureAwait(false))
        {
            if (row.Line > ArchiveLimits.MaxPeople)
            {
                throw new JobFailedException($"The archive tells of more than {ArchiveLimits.MaxPeople} people.");
            }
            if (row.Id("id") is not { } old || !row.Members.TryGetProperty("email", out var given) || email.Check(given, out given) is not null)
            {
                throw row.Refused("a person has an id and an e-mail address.");
            }
            var address = EmailAddress.Comparable(given.GetString()!);
            if (await restore.Scalar<Guid?>(
                "SELECT u.id FROM users u JOIN organization_members m ON m.user_id = u.id AND m.organization_id = $2 WHERE u.email = $1", cancellationToken, address, restore.OrganizationId).ConfigureAwait(false) is { } here)
            {
                restore.Ids.Know(old, here);
            }
            else
            {
                strangers[old] = address;
            }
        }
        return strangers;
    }

    /// <summary>Invites those strangers who were active members; returns how many, and how many were not since too many invitations are open.</summary>
    public static async Task<(int Invited, int NotInvited)> Invite(
        Restore restore, IReadOnlyDictionary<Guid, string> strangers, ArchiveLimits limits, TimeProvider clock, CancellationToken cancellationToken)
    {
        // As whoever invites does: one at a time for an organization.
        await restore.Execute("SELECT FROM organizations o WHERE o.id = $1 FOR NO KEY UPDATE", cancellationToken, restore.OrganizationId).ConfigureAwait(false);
        var now = clock.GetUtcNow();
        var open = await restore.Scalar<long>(
            "SELECT count(*) FROM invitations i WHERE i.organization_id = $1 AND i.accepted_at IS NULL AND i.revoked_at IS NULL AND i.expires_at > $2",
            cancellationToken, restore.OrganizationId, now).ConfigureAwait(false);
        var (invited, notInvited, left) = (0, 0, new HashSet<string>(strangers.Values, StringComparer.Ordinal));
        await foreach (var row in restore.Archive.Rows("organization_members", cancellationToken).ConfigureAwait(false))
        {
            if (row.Text("status") != "active" || row.Id("user_id") is not { } person || !strangers.TryGetValue(person, out var address) || !left.Remove(address))
            {
                continue;
            }
            if (open + invited >= InvitationLimits.MaxOpen)
            {
                notInvited++;
                continue;
            }
            // Nobody knows what the hash is of: a link comes with the next invitation for the address, which ends this one. A super admin who entered is no member, and leaves no name.
            invited += await restore.Execute(
                """
                INSERT INTO invitations (id, organization_id, email, role, token_hash, invited_by, expires_at)
                SELECT $1, $2, $3, CASE WHEN role_rank($4) > role_rank(m.role) THEN m.role ELSE $4 END, $5, m.user_id, $7
                FROM (VALUES (1)) one LEFT JOIN organization_members m ON m.organization_id = $2 AND m.user_id = $6
                ON CONFLICT (organization_id, email) WHERE accepted_at IS NULL AND revoked_at IS NULL DO NOTHING
                """,
                cancellationToken, Uuid.New(clock), restore.OrganizationId, address, row.Text("role") ?? "viewer", RandomNumberGenerator.GetBytes(32), restore.Importer, now + limits.InvitationLife).ConfigureAwait(false);
        }
        return (invited, notInvited);
    }
}
