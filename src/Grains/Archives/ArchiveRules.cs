using System.Text.RegularExpressions;
using AgentPlatform.Data.Tenancy;

namespace AgentPlatform.Grains.Archives;

/// <summary>What an organization's archive holds. Everything that the catalog knows, but secrets, what is derived from other rows, and what belongs to this installation.</summary>
internal static partial class ArchiveRules
{
    /// <summary>Version of the archive's form.</summary>
    public const int Format = 1;

    /// <summary>Derived from other rows, bound to sessions of this installation, or the work that makes archives itself.</summary>
    private static readonly HashSet<string> Derived = new(StringComparer.Ordinal)
    {
        "idempotency_keys", "jobs", "job_errors", "file_chunks", "files", "message_search", "message_search_positions", "user_sessions", "outgoing_emails", "analytics_refreshes", "early_receipts", "analytics_deal_metrics", "analytics_client_metrics", "analytics_revenue_metrics", "analytics_chatbot_effectiveness",
        "analytics_channel_performance", "analytics_failures",
    };

    /// <summary>What an organization owes this installation: told in the archive, but nobody can bring it along.</summary>
    private static readonly HashSet<string> OfInstallation = new(StringComparer.Ordinal)
    {
        "subscriptions", "billing_invoices", "usage_alerts", "usage_daily", "pricing_plans", "usage_monthly", "usage_records", "usage_events",
    };

    /// <summary>Who may come in is for those to say who are here: people come by invitations (<see cref="ArchivePeople"/>).</summary>
    private const string Members = "organization_members";

    /// <summary>
    /// Columns that are told but not believed, <c>table.column</c>: what is computed again from other rows, what an account is connected by (whoever has its credentials says so
    /// again), what this installation counts by, and what names things that stay.
    /// </summary>
    private static readonly HashSet<string> NotBelieved = new(StringComparer.Ordinal)
    {
        "clients.total_orders", "clients.total_revenue", "clients.average_order_value", "tours.current_participants", "channels.platform_channel_id", "channels.is_account_confirmed", "conversations.counted_month",
        "turns.instance_id", "activity_logs.api_key_id", "activity_logs.imported_in",
    };

    /// <summary>The column, where a table has it, that names the import by which a row came in.</summary>
    public const string Mark = "imported_in";

    /// <summary>Columns of <c>organizations</c> that an import takes over. Its limits, its address and its identity are this installation's.</summary>
    public static readonly string[] OrganizationColumns =
        ["name", "logo", "country", "time_zone", "ai_enabled", "default_agent_id", "settings", "messages_kept_days", "turns_kept_days", "activity_logs_kept_days", "idempotency_keys_kept_days", "files_kept_days"];

    /// <summary>Columns of <c>users</c> that are told of members.</summary>
    public static readonly string[] UserColumns = ["id", "email", "first_name", "last_name", "full_name", "avatar_url", "locale"];

    /// <summary>Uploads that are part of the organization's data, unlike the files of jobs.</summary>
    public static readonly string[] FilePurposes = ["attachment", "recording", "knowledge"];

    /// <summary>Which rows of a table go into an archive (SQL over the alias <c>t</c>); null for all of them. What tells of a job stays where the job is.</summary>
    public static string? Rows(TenantTable table) => table.Name == "notifications" ? "t.entity_type IS DISTINCT FROM 'job'" : null;

    /// <summary>The tables of an archive, in the catalog's order.</summary>
    public static IReadOnlyList<TenantTable> Tables(TenantCatalog catalog) => Without(catalog, IsLeftOut);

    /// <summary>The tables whose rows an import brings.</summary>
    public static IReadOnlyList<TenantTable> Imported(TenantCatalog catalog) =>
        [.. Without(catalog, table => IsLeftOut(table) || OfInstallation.Contains(table.Name)).Where(table => table.Name != Members)];

    /// <summary>The columns of a table that an import takes over. The organization's is none of them: that is whose import it is.</summary>
    public static IReadOnlyList<TenantColumn> TakenColumns(TenantTable table)
    {
        var leftOut = LeftOutColumns(table);
        return [.. table.Columns.Where(column => column.Name != "organization_id" && !leftOut.Contains(column.Name) && !NotBelieved.Contains($"{table.Name}.{column.Name}"))];
    }

    /// <summary>Secrets leave no installation: a table that can't be without one stays here as a whole.</summary>
    private static bool IsLeftOut(TenantTable table) => Derived.Contains(table.Name) || table.Key.Count == 0 || table.Columns.Any(column => column.IsRequired && IsSecret(column.Name));

    /// <summary>What can't be without a row that stays, stays with it.</summary>
    private static IReadOnlyList<TenantTable> Without(TenantCatalog catalog, Func<TenantTable, bool> stays)
    {
        var left = catalog.Tables.Where(stays).Select(table => table.Name).ToHashSet(StringComparer.Ordinal);
        int before;
        do
        {
            before = left.Count;
            left.UnionWith(catalog.References
                .Where(reference => reference.Target != "files" && left.Contains(reference.Target) && catalog.Find(reference.Table)!.Columns.Any(column => column.Name == reference.Column && column.IsRequired))
                .Select(reference => reference.Table));
        }
        while (left.Count > before);
        return [.. catalog.Tables.Where(table => !left.Contains(table.Name))];
    }

    /// <summary>Columns that are not told: secrets, what the database makes itself, and positions that mean nothing elsewhere.</summary>
    public static IReadOnlyList<string> LeftOutColumns(TenantTable table) =>
        [.. table.Columns.Where(column => IsSecret(column.Name) || column.IsGenerated || column.Type == "xid8").Select(column => column.Name)];

    /// <summary>Whether a column holds what opens a door.</summary>
    public static bool IsSecret(string column) => SecretNames().IsMatch(column);

    [GeneratedRegex(@"^(.*_)?(secret|secrets|password|hash|credentials|api_key|access_token|refresh_token|bot_token|verify_token|token|session_data|qr_code)$", RegexOptions.CultureInvariant)]
    private static partial Regex SecretNames();
}
