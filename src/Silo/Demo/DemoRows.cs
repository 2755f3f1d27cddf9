using System.Text.Json;
using System.Text.Json.Nodes;
using Npgsql;
using NpgsqlTypes;

namespace AgentPlatform.Silo.Demo;

/// <summary>Writes the demo's rows into one batch, in the order that their references need.</summary>
internal sealed partial class DemoRows(NpgsqlBatch batch)
{
    private static readonly (string Key, string Email, string First, string Last, string Role)[] Managers =
    [
        ("aizada", "aizada@soul.example", "Aizada", "Toktosunova", "manager"),
        ("timur", "timur@soul.example", "Timur", "Sadykov", "manager"),
    ];

    public void AddPeople(string adminEmail, string passwordHash, DateTimeOffset now)
    {
        Add("insert into organizations (id, name, slug, country, time_zone, settings) values ($1, 'Soul KG', 'soul-kg', 'KG', 'Asia/Bishkek', $2)",
            DemoIds.Organization, Json(new JsonObject { ["currency"] = "USD", ["languages"] = new JsonArray("en", "ru", "ar", "fr", "de", "es", "pl") }));
        foreach (var (key, email, first, last, role) in Managers.Prepend(("admin", adminEmail, "Nurlan", "Asanbekov", "owner")))
        {
            Add("""
                insert into users (id, email, password_hash, first_name, last_name, full_name, locale, default_organization_id, created_at)
                values ($1, $2, $3, $4, $5, $4 || ' ' || $5, 'en', $6, $7)
                """, DemoIds.Of("user/" + key), email, passwordHash, first, last, DemoIds.Organization, now.AddDays(-180));
            Add("insert into organization_members (organization_id, user_id, role) values ($1, $2, $3)", DemoIds.Organization, DemoIds.Of("user/" + key), role);
        }
    }

    public void AddAgentAndChannels()
    {
        Add("""
            insert into personas (id, organization_id, name, tone, greeting, fallback_message, escalation_policy)
            values ($1, $2, 'Aisuluu', 'friendly', $3, $4, 'escalate')
            """, DemoIds.Of("persona"), DemoIds.Organization,
            "Hello! I'm Aisuluu, the assistant of Soul KG. Ask me about our tours in Kyrgyzstan: dates, prices, what to pack.",
            "I'm not sure about that. I've asked my colleagues: a person will answer you here, every day from 9:00 to 19:00 Bishkek time.");
        Add("""
            insert into agents (id, organization_id, name, description, agent_type, domain, status, persona_id, goals, channels, owner_name, instructions, system_prompt)
            values ($1, $2, 'Soul KG guide', 'Answers questions about tours, bookings and travel in Kyrgyzstan.', 'communication', 'hospitality', 'active', $3, $4, $5, 'Nurlan Asanbekov', $6, $7)
            """, DemoIds.Agent, DemoIds.Organization, DemoIds.Of("persona"),
            new[] { "answer questions", "find the right tour", "hand over bookings to a manager" }, new[] { "web", "whatsapp", "telegram" },
            "Answer in the customer's language. Use only what the knowledge base says about prices, dates and conditions. Ask for dates and the number of people before you recommend a tour. Respect prayer times and diets.",
            "You are Aisuluu, the assistant of Soul KG, a small tour operator in Bishkek, Kyrgyzstan. You are warm, precise and brief.");
        AddChannel("web", "Soul KG web chat", true);
        AddChannel("whatsapp", "Soul KG WhatsApp (demo history, not connected)", false);
        AddChannel("telegram", "Soul KG Telegram (demo history, not connected)", false);
        Add("insert into web_widgets (channel_id, organization_id, primary_color, position, welcome_message, allowed_domains) values ($1, $2, '#0f766e', 'bottom-right', $3, '{}')",
            DemoIds.WebChannel, DemoIds.Organization, "Hello! I'm Aisuluu, the assistant of Soul KG. Ask me about our tours in Kyrgyzstan: dates, prices, what to pack. I also understand Russian, Arabic, French, German, Spanish and Polish.");
        Add("insert into content_collections (id, organization_id, channel_id, collection_id, name, items) values ($1, $2, $3, 'tours', 'Tours in short', $4)",
            DemoIds.Of("collection/tours"), DemoIds.Organization, DemoIds.WebChannel, new[]
            {
                "Our tours: Weekend Getaway (2 days, USD 180), Issyk-Kul and Karakol Discovery (3 days, USD 340), Song-Kul Horse Trek (4 days, USD 520), Private Escape (5 days, from USD 1,450), Family Summer at Issyk-Kul (6 days, USD 640), Karakol Ski Week (6 days, USD 760), Exploration & Connection (7 days, USD 890), Silk Road South (9 days, USD 1,180).",
            });
        Add("insert into keyword_actions (id, organization_id, channel_id, keyword, action_type, collection_id) values ($1, $2, $3, 'tours', 'SEND_COLLECTION', 'tours')",
            DemoIds.Of("keyword/tours"), DemoIds.Organization, DemoIds.WebChannel);
    }

    private void AddChannel(string platform, string name, bool isActive) =>
        Add("insert into channels (id, organization_id, agent_id, name, platform, is_active) values ($1, $2, $3, $4, $5, $6)",
            DemoIds.Of("channel/" + platform), DemoIds.Organization, DemoIds.Agent, name, platform, isActive);

    public void AddCatalogue(DemoCatalogue catalogue, IEnumerable<(DemoTour Tour, DemoProduct Product, DateTimeOffset Start)> tours)
    {
        foreach (var partner in catalogue.Partners)
        {
            Add("""
                insert into partners (id, organization_id, name, contact_phone, contact_email, contact_whatsapp, contact_telegram, conditions, rating)
                values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
                """, DemoIds.Of("partner/" + partner.Key), DemoIds.Organization, partner.Name, partner.Phone, partner.Email, partner.Whatsapp, partner.Telegram, partner.Conditions, partner.Rating);
        }
        foreach (var product in catalogue.Products)
        {
            Add("""
                insert into products (id, organization_id, partner_id, name, description, type, sku, category, duration, price, cost, inclusions, exclusions, options)
                values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
                """, DemoIds.Of("product/" + product.Key), DemoIds.Organization, Key("partner", product.Partner), product.Name, product.Description, product.Type,
                "SKG-" + product.Key.ToUpperInvariant(), product.Category, product.Days, product.Price, product.Cost, Json(product.Inclusions), Json(product.Exclusions), Json(product.Options));
        }
        foreach (var (tour, product, start) in tours)
        {
            Add("""
                insert into tours (id, organization_id, product_id, start_date, end_date, max_participants, price, notes)
                values ($1, $2, $3, $4, $5, $6, $7, $8)
                """, DemoIds.Of("tour/" + tour.Key), DemoIds.Organization, DemoIds.Of("product/" + product.Key), start, DemoCalendar.End(start, product),
                tour.Max, product.Price, tour.Notes);
        }
    }

    /// <summary>Tours that are over take no bookings, so they are over last.</summary>
    public void CompleteTours(DemoCatalogue catalogue)
    {
        foreach (var tour in catalogue.Tours.Where(tour => tour.Status == "completed"))
        {
            Add("update tours set status = 'completed' where id = $1", DemoIds.Of("tour/" + tour.Key));
        }
    }

    public void AddArticles(IReadOnlyList<DemoArticle> articles)
    {
        foreach (var (category, index) in articles.Select(article => article.Category).Distinct().Select((category, index) => (category, index)))
        {
            Add("insert into knowledge_categories (id, organization_id, title, sort_order) values ($1, $2, $3, $4)", DemoIds.Of("category/" + category), DemoIds.Organization, category, index);
        }
        foreach (var article in articles)
        {
            Add("""
                insert into knowledge_articles (id, organization_id, category_id, agent_id, title, content, summary, language, tags)
                values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
                """, DemoIds.Of("article/" + article.Key), DemoIds.Organization, DemoIds.Of("category/" + article.Category), DemoIds.Agent,
                article.Title, article.Content, article.Summary, article.Language, article.Tags);
        }
    }

    private static Guid? Key(string kind, string? key) => key is null ? null : DemoIds.Of($"{kind}/{key}");

    private static NpgsqlParameter Json(JsonNode? node) => new() { Value = (object?)node?.ToJsonString(JsonSerializerOptions.Web) ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Jsonb };

    private void Add(string sql, params object?[] values)
    {
        var command = batch.CreateBatchCommand();
        command.CommandText = sql;
        foreach (var value in values)
        {
            command.Parameters.Add(value as NpgsqlParameter ?? new NpgsqlParameter { Value = value ?? DBNull.Value });
        }
        batch.BatchCommands.Add(command);
    }
}
