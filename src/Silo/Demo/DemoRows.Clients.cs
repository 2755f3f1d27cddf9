using System.Globalization;
using System.Text.Json.Nodes;

namespace AgentPlatform.Silo.Demo;

/// <summary>Clients with what they want, their history, and their conversation.</summary>
internal sealed partial class DemoRows
{
    /// <summary>Longest preview of a last message, in characters.</summary>
    private const int PreviewLength = 120;

    public void AddClient(DemoClient client, DateTimeOffset now, Func<string, string> fill)
    {
        var id = DemoIds.Of("client/" + client.Key);
        var conversation = client.Conversation;
        var lines = conversation?.Messages.Select(row => new Line(
            row[0].GetString()!, now.AddMinutes(-conversation.MinutesAgo + row[1].GetInt32()), fill(row[2].GetString()!), row.Length > 3 ? row[3].GetString() : null)).ToList() ?? [];
        var met = client.History.Select(row => now.AddDays(-row[1].GetInt32())).Concat(lines.Select(line => line.At)).Append(now.AddDays(-30)).Min().AddMinutes(-5);
        Add("""
            insert into clients (id, organization_id, client_type, status, lifecycle_stage, first_name, last_name, company_name, email, phone, address, preferred_language,
                cultural_context, source, lead_score, lead_quality, assigned_to, assigned_partner_id, tags,
                first_contact_date, last_contact_date, next_follow_up_date, created_at)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $20)
            """, id, DemoIds.Organization, client.Type, client.Status, client.Stage, client.FirstName, client.LastName, client.Company, client.Email, client.Phone,
            Json(new JsonObject { ["country"] = client.Country }), client.Language, Json(client.Culture), client.Source, client.Score, client.Quality,
            Key("user", client.AssignedTo), Key("partner", client.Partner), client.Tags, met,
            lines.Count == 0 ? met : lines[^1].At, client.Status is "negotiation" or "proposal_sent" ? now.AddDays(2) : null);
        AddHistory(client, id, met, now);
        foreach (var interest in client.Interests)
        {
            Add("insert into client_products (id, organization_id, client_id, product_id, status) values ($1, $2, $3, $4, $5)",
                DemoIds.Of($"interest/{client.Key}/{interest.Product}"), DemoIds.Organization, id, DemoIds.Of("product/" + interest.Product), interest.Status);
        }
        foreach (var booking in client.Bookings)
        {
            Add("insert into client_tours (id, organization_id, client_id, tour_id, status, participants) values ($1, $2, $3, $4, $5, $6)",
                DemoIds.Of($"booking/{client.Key}/{booking.Tour}"), DemoIds.Organization, id, DemoIds.Of("tour/" + booking.Tour), booking.Status, booking.Participants);
        }
        if (conversation is not null)
        {
            AddConversation(client, conversation, id, lines);
        }
    }

    private void AddHistory(DemoClient client, Guid id, DateTimeOffset met, DateTimeOffset now)
    {
        const string Sql = """
            insert into client_status_history (id, organization_id, client_id, old_status, new_status, changed_by, changed_by_id, reason, created_at)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
            """;
        Add(Sql, DemoIds.Of($"history/{client.Key}/new"), DemoIds.Organization, id, null, "new_lead", "system", null, "First contact", met);
        var old = "new_lead";
        foreach (var row in client.History)
        {
            var (status, by) = (row[0].GetString()!, row[2].GetString()!);
            Add(Sql, DemoIds.Of($"history/{client.Key}/{status}"), DemoIds.Organization, id, old, status, by,
                by == "human" ? Key("user", client.AssignedTo ?? "timur") : by == "ai" ? DemoIds.Agent : null, row[3].GetString(), now.AddDays(-row[1].GetInt32()));
            old = status;
        }
    }

    private void AddConversation(DemoClient client, DemoConversation conversation, Guid clientId, List<Line> lines)
    {
        var contact = DemoIds.Of("contact/" + client.Key);
        var thread = DemoIds.Of("conversation/" + client.Key);
        var channel = DemoIds.Of("channel/" + conversation.Channel);
        var platformUser = conversation.Channel switch
        {
            "whatsapp" => client.Phone[1..],
            "telegram" => (900_000_000 + client.Key.Sum(letter => letter)).ToString(CultureInfo.InvariantCulture),
            _ => DemoIds.Of("visitor/" + client.Key).ToString("N"),
        };
        var last = lines.Last(line => line.From != "note");
        Add("""
            insert into contacts (id, organization_id, channel_id, client_id, platform, platform_user_id, name, phone, language, last_interaction_at, last_message_preview, unread_count, created_at, updated_at)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $10)
            """, contact, DemoIds.Organization, channel, clientId, conversation.Channel, platformUser, $"{client.FirstName} {client.LastName}",
            conversation.Channel == "whatsapp" ? client.Phone : null, client.Language, last.At, last.Text.Length > PreviewLength ? last.Text[..PreviewLength] : last.Text, conversation.Unread, lines[0].At);
        Add("insert into contact_identities (channel_id, identity, contact_id, organization_id) values ($1, $2, $3, $4)", channel, platformUser, contact, DemoIds.Organization);
        Add("update clients set contact_id = $2, platform_user_id = $3 where id = $1", clientId, contact, platformUser);
        var isHuman = conversation.ManagedBy == "human";
        Add("""
            insert into conversations (id, organization_id, channel_id, contact_id, client_id, agent_id, status, managed_by, assigned_to, epoch, last_sequence, last_message_at,
                last_inbound_at, started_at, ended_at, created_at, updated_at)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $14, $12)
            """, thread, DemoIds.Organization, channel, contact, clientId, DemoIds.Agent, conversation.Status, conversation.ManagedBy,
            isHuman ? Key("user", client.AssignedTo) : null, isHuman ? 1 : 0, (long)lines.Count, last.At,
            lines.LastOrDefault(line => line.From == "client")?.At, lines[0].At, conversation.Status is "completed" or "archived" ? last.At : null);
        var unreadFrom = lines.Count - conversation.Unread;
        foreach (var (line, index) in lines.Select((line, index) => (line, index)))
        {
            AddMessage(client, (thread, channel, contact), line, index, isRead: index < unreadFrom);
        }
    }

    private void AddMessage(DemoClient client, (Guid Conversation, Guid Channel, Guid Contact) place, Line line, int index, bool isRead)
    {
        var (direction, sender, status) = line.From switch
        {
            "client" => ("inbound", "user", "received"),
            "ai" => ("outbound", "ai", "read"),
            "note" => ("internal", "agent", "sent"),
            _ => ("outbound", "agent", "read"),
        };
        var isTold = direction == "outbound";
        Add("""
            insert into messages (id, organization_id, conversation_id, channel_id, contact_id, sender_id, sequence, direction, sender_type, content_type, status, is_read_by_agent,
                text_content, platform_message_id, language, translated_content, sent_at, delivered_at, read_at, created_at)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $17)
            """, DemoIds.Of($"message/{client.Key}/{index}"), DemoIds.Organization, place.Conversation, place.Channel, place.Contact,
            sender == "agent" ? Key("user", line.From == "note" ? client.AssignedTo : line.From) : null, index + 1L, direction, sender,
            direction == "internal" ? "note" : "text", status, direction != "inbound" || isRead, line.Text, direction == "internal" ? null : $"demo-{client.Key}-{index}",
            direction == "internal" ? "en" : client.Language, line.Translation, line.At, isTold ? line.At.AddSeconds(2) : null, isTold ? line.At.AddSeconds(40) : null);
    }

    private sealed record Line(string From, DateTimeOffset At, string Text, string? Translation);
}
