using AgentPlatform.Data.Tenancy;
using AgentPlatform.Grains.Archives;
using Npgsql;

namespace AgentPlatform.Api.Tests.Jobs;

/// <summary>What the schema holds is known to whoever takes rows from strangers: a new column or trigger can't be forgotten.</summary>
public sealed class ArchiveCatalogTests(JobApp app) : IClassFixture<JobApp>
{
    /// <summary>Triggers that sleep while an archive comes in, by what they do. All others must be always awake.</summary>
    private static readonly Dictionary<string, string[]> Asleep = new()
    {
        // They make, tell, or count something when something happens; what came of it before is in the archive, or is nobody's business here.
        ["effects"] =
        [
            "set_updated_at", "configuration_changed", "configuration_changed_by_update", "notify_", "notification_changed", "email_queued", "create_activity_from_message", "messages_", "begin_",
            "on_new_contact_create_client", "carry_", "update_last_contact", "track_", "whatsapp_session_", "keep_tags", "delete_recording_file", "end_access", "release_", "subscribe_to_default_plan",
            "bill_first_period", "prorate_plan_change", "keep_adjustment", "on_auth_user_created", "organization_status_changed", "note_given_probability", "index_", "count_",
        ],

        // What they compute is held by a check of the table, or computed again once all is in.
        ["computed"] = ["settle_", "keep_client_revenue", "keep_new_client_revenue", "update_client_revenue", "hold_tour_"],

        // Rules about a change, or about the moment of it: a row that was right once stays so.
        ["changes"] =
        [
            "check_interest_moves_forward", "check_client_of_deal", "check_session_order", "follow_session_status", "check_execution_order", "keep_an_owner", "guard_organization_status",
            "check_partner_is_available", "forget_confirmation", "check_experiment", "check_experiment_variant",
        ],

        // An archive's references are checked all together; no members come with one.
        ["references"] = ["check_assignee_is_a_member", "organization_members.enforce_plan_feature", "agents.check_agent_of_channel"],
    };

    [Fact]
    public async Task Every_id_of_an_archive_s_rows_is_covered()
    {
        var catalog = await Catalog();
        var keyed = catalog.References.Concat(ArchiveReferences.Unkeyed).Select(reference => $"{reference.Table}.{reference.Column}")
            .Concat(ArchiveReferences.MemberLists.Select(list => $"{list.Table}.{list.Column}")).Concat(ArchiveReferences.Loose).ToHashSet();
        var open = ArchiveRules.Imported(catalog)
            .SelectMany(table => ArchiveRules.TakenColumns(table).Where(column => column.Type.StartsWith("uuid", StringComparison.Ordinal) && !(column.Name == "id" && table.Key is ["id"])).Select(column => $"{table.Name}.{column.Name}"))
            .Where(column => !keyed.Contains(column)).ToArray();
        Assert.True(open.Length == 0, $"Say in ArchiveReferences what these refer to: {string.Join(", ", open)}");

        // What is declared is there.
        foreach (var column in ArchiveReferences.Unkeyed.Select(reference => (reference.Table, reference.Column)).Concat(ArchiveReferences.MemberLists))
        {
            Assert.True(catalog.Find(column.Table)!.Has(column.Column), $"{column}");
        }
    }

    [Fact]
    public async Task Every_trigger_is_awake_for_archives_or_has_a_reason_to_sleep()
    {
        var catalog = await Catalog();
        var tables = ArchiveRules.Imported(catalog).Select(table => table.Name).Append("organizations").Append("organization_members").ToHashSet();
        await using var connection = new NpgsqlConnection(app.Database.AdminConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand("SELECT c.relname::text, g.tgname::text, g.tgenabled = 'A' FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid WHERE NOT g.tgisinternal AND c.relnamespace = 'public'::regnamespace", connection);
        await using var rows = await command.ExecuteReaderAsync();
        var (open, awake) = (new List<string>(), 0);
        while (await rows.ReadAsync())
        {
            var (table, trigger, isAwake) = (rows.GetString(0), rows.GetString(1), rows.GetBoolean(2));
            if (!tables.Contains(table))
            {
                continue;
            }
            awake += isAwake ? 1 : 0;
            var mayRest = Asleep.Values.SelectMany(names => names).Any(name => trigger.StartsWith(name, StringComparison.Ordinal) || $"{table}.{trigger}" == name);
            if (!isAwake && !mayRest)
            {
                open.Add($"{table}.{trigger}");
            }
        }
        Assert.True(open.Count == 0, $"ENABLE ALWAYS, or say here why it may sleep while an archive comes in: {string.Join(", ", open)}");
        Assert.True(awake >= 10, $"{awake}");
    }

    private async Task<TenantCatalog> Catalog()
    {
        await using var connection = new NpgsqlConnection(app.Database.AdminConnectionString);
        await connection.OpenAsync();
        return await TenantCatalog.Read(connection, CancellationToken.None);
    }
}
