namespace AgentPlatform.Grains.Archives;

/// <summary>What came in is brought to rest: nothing of it is done here by itself, and what follows from other rows is computed from those that are here.</summary>
internal static class ArchiveSettling
{
    private static readonly string[] Statements =
    [
        // What was under way when the archive was made is the other installation's to finish: here it would happen twice.
        $"UPDATE messages t SET status = 'failed', error = 'It was not sent yet when the organization was exported.' WHERE t.organization_id = $1 AND t.status IN ('pending', 'sending') AND {Restore.CameIn}",
        $"UPDATE turns t SET state = 'cancelled', finished_at = now() WHERE t.organization_id = $1 AND t.state IN ('settling', 'running') AND {Restore.CameIn}",
        $"UPDATE workflow_executions t SET status = 'cancelled', finished_at = now() WHERE t.organization_id = $1 AND t.status IN ('pending', 'running', 'waiting') AND {Restore.CameIn}",
        // Whoever it is due to was told there, or is told of a thousand things at once.
        $"UPDATE activities t SET due_notified_for = t.due_date WHERE t.organization_id = $1 AND t.status = 'pending' AND t.due_date <= now() AND {Restore.CameIn}",
        // Without their credentials, which stay, nothing is connected.
        $"UPDATE whatsapp_sessions t SET status = 'disconnected', error_message = NULL WHERE t.organization_id = $1 AND {Restore.CameIn}",
        // The organization's row is none of those whose references are checked.
        "UPDATE organizations t SET default_agent_id = NULL WHERE id = $1 AND default_agent_id IS NOT NULL AND NOT EXISTS (SELECT FROM agents a WHERE a.id = t.default_agent_id AND a.organization_id = t.id AND a.channel_id IS NULL)",
        // The next message has a number of its own.
        $"""
        UPDATE conversations t SET last_sequence = said.last FROM (SELECT m.conversation_id, max(m.sequence) AS last FROM messages m JOIN conversations c ON c.id = m.conversation_id WHERE c.organization_id = $1 GROUP BY m.conversation_id) said
        WHERE t.id = said.conversation_id AND t.last_sequence < said.last AND {Restore.CameIn}
        """,
        $"""
        UPDATE clients t SET total_orders = o.orders, total_revenue = o.revenue, average_order_value = o.average
        FROM (SELECT client_id, count(*) AS orders, sum(total) AS revenue, round(avg(total), 3) AS average FROM orders WHERE organization_id = $1 AND status NOT IN ('cancelled', 'refunded') GROUP BY client_id) o
        WHERE t.id = o.client_id AND t.organization_id = $1 AND {Restore.CameIn}
        """,
        $"""
        UPDATE tours t SET current_participants = b.held FROM (SELECT tour_id, sum(held_places(status, participants)) AS held FROM client_tours WHERE organization_id = $1 GROUP BY tour_id) b
        WHERE t.id = b.tour_id AND t.organization_id = $1 AND {Restore.CameIn}
        """,
        // Two or more variants of its type that sum up: what check_experiment asks of one that begins to run.
        $"""
        UPDATE experiments t SET status = 'paused' WHERE t.organization_id = $1 AND t.status = 'active' AND {Restore.CameIn} AND (
            SELECT count(*) < 2 OR sum(v.weight) <> 100 OR NOT bool_and(p.agent_type = t.agent_type AND p.is_active)
            FROM experiment_variants v JOIN prompt_variants p ON p.id = v.prompt_variant_id WHERE v.experiment_id = t.id)
        """,
        // Whatever is tagged is tagged with a tag.
        "SELECT hold_tags($1, used.tags) FROM (SELECT array_agg(DISTINCT tag) AS tags FROM clients t, unnest(t.tags) tag WHERE t.organization_id = $1) used WHERE used.tags IS NOT NULL",
        "SELECT hold_tags($1, used.tags) FROM (SELECT array_agg(DISTINCT tag) AS tags FROM deals t, unnest(t.tags) tag WHERE t.organization_id = $1) used WHERE used.tags IS NOT NULL",
        "SELECT hold_tags($1, used.tags) FROM (SELECT array_agg(DISTINCT tag) AS tags FROM notes t, unnest(t.tags) tag WHERE t.organization_id = $1) used WHERE used.tags IS NOT NULL",
        // No category is above itself.
        $"""
        UPDATE knowledge_categories t SET parent_id = NULL WHERE t.organization_id = $1 AND t.parent_id IS NOT NULL AND {Restore.CameIn} AND EXISTS (
            WITH RECURSIVE above (id, parent_id) AS (
                SELECT c.id, c.parent_id FROM knowledge_categories c WHERE c.id = t.parent_id
                UNION SELECT c.id, c.parent_id FROM knowledge_categories c JOIN above a ON c.id = a.parent_id)
            SELECT FROM above WHERE id = t.id)
        """,
    ];

    /// <summary>What somebody is told, the product tells: nobody else writes into another's list.</summary>
    private const string DropNotifications = $"DELETE FROM notifications t WHERE t.organization_id = $1 AND t.user_id <> $2 AND {Restore.CameIn}";

    /// <summary>How somebody wants to be told is for nobody else to say.</summary>
    private const string DropPreferences = $"DELETE FROM notification_preferences t WHERE t.organization_id = $1 AND t.user_id <> $2 AND {Restore.CameIn}";

    public static async Task Settle(Restore restore, CancellationToken cancellationToken)
    {
        foreach (var statement in Statements)
        {
            await restore.Execute(statement, cancellationToken, restore.OrganizationId).ConfigureAwait(false);
        }
        await restore.Execute(DropNotifications, cancellationToken, restore.OrganizationId, restore.Importer).ConfigureAwait(false);
        await restore.Execute(DropPreferences, cancellationToken, restore.OrganizationId, restore.Importer).ConfigureAwait(false);
    }
}
