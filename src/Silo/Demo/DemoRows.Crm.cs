using System.Text.Json;
using System.Text.Json.Nodes;

namespace AgentPlatform.Silo.Demo;

/// <summary>Tags, deals, orders, activities and notes.</summary>
internal sealed partial class DemoRows
{
    /// <summary>Before the clients: a tag that somebody bears is made by the database, without a colour of its own.</summary>
    public void AddTags(IEnumerable<DemoTag> tags)
    {
        foreach (var tag in tags)
        {
            Add("insert into tags (id, organization_id, name, color, category) values ($1, $2, $3, $4, $5)", DemoIds.Of("tag/" + tag.Name), DemoIds.Organization, tag.Name, tag.Color, tag.Category);
        }
    }

    public void AddCrm(DemoCrm crm, DemoCatalogue catalogue, DateTimeOffset now)
    {
        var products = catalogue.Products.ToDictionary(product => product.Key);
        foreach (var deal in crm.Deals)
        {
            AddDeal(deal, Lines(deal.Products, products), now);
        }
        foreach (var order in crm.Orders)
        {
            Add("""
                insert into orders (id, organization_id, client_id, deal_id, order_number, items, discount, status, order_date, delivered_date, created_at)
                values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $9)
                """, DemoIds.Of("order/" + order.Number), DemoIds.Organization, Key("client", order.Client), Key("deal", order.Deal), order.Number, Json(Lines(order.Items, products)), order.Discount,
                order.Status, now.AddDays(-order.DaysAgo), order.DeliveredAgo is { } ago ? now.AddDays(-ago) : null);
        }
        foreach (var activity in crm.Activities)
        {
            AddActivity(activity, now);
        }
        foreach (var note in crm.Notes)
        {
            Add("""
                insert into notes (id, organization_id, client_id, deal_id, title, content, note_type, is_pinned, tags, created_by, created_at)
                values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
                """, DemoIds.Of("note/" + note.Key), DemoIds.Organization, Key("client", note.Client), Key("deal", note.Deal), note.Title, note.Content, note.Type, note.Pinned, note.Tags,
                Key("user", note.By), now.AddDays(-note.DaysAgo));
        }
    }

    /// <summary>So that the reports say something at once.</summary>
    public void RefreshAnalytics() => Add("select refresh_all_analytics()");

    private void AddDeal(DemoDeal deal, JsonArray products, DateTimeOffset now)
    {
        var id = DemoIds.Of("deal/" + deal.Key);
        DateTimeOffset At(JsonElement[] row) => now.AddDays(-row[1].GetInt32());
        var last = deal.History[^1];
        var stage = last[0].GetString()!;
        Add("""
            insert into deals (id, organization_id, client_id, name, description, deal_value, stage, expected_close_date, actual_close_date, products, owner_id, won_reason, lost_reason,
                lost_reason_details, competitor, tags, stage_changed_at, created_at)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
            """, id, DemoIds.Organization, Key("client", deal.Client), deal.Name, deal.Description, deal.Value, stage,
            deal.ExpectedIn is { } days ? Day(now.AddDays(days)) : null, stage.StartsWith("closed_", StringComparison.Ordinal) ? Day(At(last)) : null, Json(products), Key("user", deal.Owner),
            deal.WonReason, deal.LostReason, deal.LostReasonDetails, deal.Competitor, deal.Tags, At(last), At(deal.History[0]));

        // The database has written that it began where it stands now; it came there step by step.
        Add("delete from deal_stage_history where deal_id = $1", id);
        string? from = null;
        foreach (var row in deal.History)
        {
            Add("""
                insert into deal_stage_history (id, organization_id, deal_id, from_stage, to_stage, changed_by, notes, created_at) values ($1, $2, $3, $4, $5, $6, $7, $8)
                """, DemoIds.Of($"deal/{deal.Key}/{row[0].GetString()}"), DemoIds.Organization, id, from, row[0].GetString(), Key("user", deal.Owner),
                row.Length > 2 ? row[2].GetString() : null, At(row));
            from = row[0].GetString();
        }
    }

    private void AddActivity(DemoActivity activity, DateTimeOffset now)
    {
        var began = now.AddDays(-activity.DaysAgo);
        Add("""
            insert into activities (id, organization_id, client_id, deal_id, activity_type, subject, description, status, priority, due_date, completed_at, assigned_to, created_by,
                call_direction, call_outcome, call_duration_seconds, created_at)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12, $13, $14, $15, $16)
            """, DemoIds.Of("activity/" + activity.Key), DemoIds.Organization, Key("client", activity.Client), Key("deal", activity.Deal), activity.Type, activity.Subject, activity.Description,
            activity.Status, activity.Priority, activity.DueIn is { } days ? now.AddDays(days).AddHours(3) : null, activity.Status == "completed" ? began.AddHours(1) : null, Key("user", activity.By),
            activity.Call?[0].GetString(), activity.Call?[1].GetString(), activity.Call?[2].GetInt32(), began);
    }

    private static JsonArray Lines(IEnumerable<JsonElement[]> rows, Dictionary<string, DemoProduct> products) =>
        [.. rows.Select(row => Item(products[row[0].GetString()!], row[1].GetInt32()))];

    private static JsonObject Item(DemoProduct product, int quantity) => new()
    {
        ["productId"] = DemoIds.Of("product/" + product.Key).ToString(),
        ["name"] = product.Name,
        ["quantity"] = quantity,
        ["unitPrice"] = product.Price,
    };

    private static DateOnly Day(DateTimeOffset moment) => DateOnly.FromDateTime(moment.UtcDateTime);
}
