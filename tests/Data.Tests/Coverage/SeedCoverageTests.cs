namespace AgentPlatform.Data.Tests.Coverage;

/// <summary>Everything that the five systems have lives here: <c>docs/seed-coverage.csv</c> says where, and this looks there.</summary>
public sealed class SeedCoverageTests(DatabaseCatalogue catalogue) : IClassFixture<DatabaseCatalogue>
{
    /// <summary>Of the list of objects: it changes when one is added, dropped, renamed or moved.</summary>
    private const string ListDigest = "de6405d85d210b2e64a3ce7d4dfe4b393c48652302c27b9c0f4ddbb91a3fb873";

    /// <summary>What kinds of target a kind of object may have.</summary>
    private static readonly Dictionary<string, string[]> Targets = new(StringComparer.Ordinal)
    {
        ["extension"] = ["extension"],
        ["table"] = ["table", "view"],
        ["column"] = ["column"],
        ["matview"] = ["table"],
        ["matview-column"] = ["column"],
        ["value"] = ["check", "column"],
        ["constraint"] = ["constraint", "index"],
        ["index"] = ["index"],
        ["unique-index"] = ["index"],
        ["function"] = ["function"],
        ["trigger"] = ["trigger"],
        ["policy"] = ["policy"],
        ["migration"] = ["migration"],
        ["json"] = ["column"],
        ["rule"] = ["policy", "check", "table", "column", "test"],
        ["demo-data"] = ["test"],
    };

    /// <summary>The systems' columns of JSON. Every other column is a column of its own here too.</summary>
    private static readonly HashSet<string> JsonColumns = new(StringComparer.Ordinal)
    {
        "1.organizations.settings", "1.crm_connections.metadata", "1.crm_pipelines.metadata", "1.crm_pipeline_stages.metadata", "1.agents.settings", "1.knowledge_chunks.metadata",
        "1.automation_rules.conditions", "1.automation_rules.actions", "1.automation_rules.metadata", "1.sequences.trigger_conditions", "1.sequences.metadata",
        "1.sequence_steps.metadata", "1.activity_logs.metadata", "1.job_status.payload", "1.job_status.progress", "1.job_status.result",
        "2.channels.credentials", "2.messages.attachment_metadata", "2.crm_clients.address", "2.crm_clients.source_details", "2.crm_clients.utm_data", "2.crm_clients.custom_fields",
        "2.crm_deals.products", "2.crm_deals.custom_fields", "2.crm_products.custom_fields", "2.crm_orders.items", "2.crm_orders.shipping_address", "2.crm_activities.metadata",
        "3.organizations.settings", "3.clients.culturalContext", "3.clients.metadata", "3.products.inclusions", "3.products.exclusions", "3.products.options",
        "3.agent_configurations.settings", "3.dialogue_analysis.data", "3.dialogue_analysis.recommendations",
        "5.chat_sessions.messages", "5.leads.metadata", "5.channel_configs.config", "5.pricing_plans.features",
    };

    private static readonly SeedObject[] All = SeedObject.ReadAll();

    [Fact]
    public void The_list_holds_each_of_the_1175_objects_once()
    {
        Assert.Equal(1175, All.Length);
        Assert.Empty(All.GroupBy(row => (row.Seed, row.Kind, row.Object, row.Name, row.Note)).Where(same => same.Count() > 1).Select(same => same.Key));
        Assert.Equal(ListDigest, SeedObject.Digest(All));
    }

    [Fact]
    public void Every_object_lives_where_the_list_says()
    {
        var missing = All.Where(row => !catalogue.Has(row)).ToArray();
        Assert.True(missing.Length == 0, $"{missing.Length} are not there:{Environment.NewLine}{string.Join(Environment.NewLine, missing.Select(row => row.ToString()))}");
    }

    [Fact]
    public void Every_object_became_a_thing_of_its_kind()
    {
        Assert.Empty(All.Where(row => !Targets[row.Kind].Contains(row.TargetKind)).Select(row => row.ToString()));

        // A constraint of the systems is one of uniqueness; a unique index holds values unique here too.
        Assert.Empty(All.Where(row => row.Kind is "unique-index" or "constraint" && row.TargetKind == "index" && !catalogue.UniqueIndexes.Contains(row.Target)).Select(row => row.ToString()));

        // A value that became a column is a flag.
        Assert.Empty(All.Where(row => row.Kind == "value" && row.TargetKind == "column" && catalogue.ColumnTypes.GetValueOrDefault(row.Target) != "boolean").Select(row => row.ToString()));
    }

    [Fact]
    public void No_column_became_a_part_of_some_JSON()
    {
        var columns = All.Where(row => row.Kind is "column" or "matview-column").ToArray();
        Assert.Empty(columns.Where(row => IsJson(row) && !JsonColumns.Contains($"{row.Seed}.{row.Object}.{row.Name}")).Select(row => row.ToString()));

        // Two columns of one table of a system are two columns here. (What a row is named by may be something else that it holds.)
        Assert.Empty(columns.Where(row => row.Name != "id").GroupBy(row => (row.Seed, row.Object, row.Where)).Where(same => same.Count() > 1).Select(same => string.Join(" and ", same)));
        Assert.All(All.Where(row => row.Kind == "json"), row => Assert.True(IsJson(row), row.ToString()));
    }

    private bool IsJson(SeedObject row) => catalogue.ColumnTypes.GetValueOrDefault(row.Target) is "json" or "jsonb";
}
