using System.Text.Json.Nodes;
using AgentPlatform.Api.Agents;
using AgentPlatform.Api.Contacts;
using AgentPlatform.Api.Tests.TestApp;
using static AgentPlatform.Api.Crm.ClientResource;
using static AgentPlatform.Api.Crm.ProductResource;
using static AgentPlatform.Api.Crm.TagResource;

namespace AgentPlatform.Api.Tests.Crm.Rules;

/// <summary>One client for a phone number, leads that become clients, tags, partners, and one default prompt for each type of agent.</summary>
internal static class ClientRules
{
    private const string IsConverted = "SELECT c.converted_at IS NOT NULL AND c.lifecycle_stage = 'customer' AND c.status = 'qualified' AND EXISTS (SELECT FROM client_status_history h WHERE h.client_id = c.id AND h.new_status = 'qualified') FROM clients c WHERE c.id = {row}";

    public static readonly RuleCase[] All =
    [
        new("a phone number is one client's", Clients, Outcome.Refused, async (world, scene) =>
        {
            // Its key of an upsert is the phone number itself: that would be the other client, and right.
            scene["taken"] = await world.NewClient(new { phone = $"+2{scene.Mark}" });
            scene["row"] = await world.NewClient();
        })
        {
            Create = scene => new() { ["phone"] = $"+2{scene.Mark}" },
            Holds = "SELECT count(*) = 1 FROM clients c WHERE c.phone = '+2{mark}'",
        },
        new("a shop's customer is one client", Clients, Outcome.Refused, async (world, scene) =>
        {
            await world.NewClient(new { ecommerceCustomerId = scene.Mark });
            scene["row"] = await world.NewClient(new { phone = scene.Phone });
        })
        {
            Create = scene => new() { ["ecommerceCustomerId"] = scene.Mark },
            Change = scene => new() { ["ecommerceCustomerId"] = scene.Mark },
            Holds = "SELECT count(*) = 1 FROM clients c WHERE c.ecommerce_customer_id = '{mark}'",
        },
        new("a phone number is one", Clients, Outcome.Refused, async (world, scene) => scene["row"] = await world.NewClient(new { phone = scene.Phone, ecommerceCustomerId = scene.Mark }))
        {
            Create = scene => new() { ["phone"] = scene.Mark, ["source"] = scene.Mark },
            Holds = "SELECT count(*) = 0 FROM clients c WHERE c.source = '{mark}'",
        },
        new("a contact joins the client that has its phone number", ContactResource.Contacts, Outcome.Settled, async (world, scene) =>
        {
            scene["client"] = await world.NewClient(new { phone = scene.Phone });
            scene["channel"] = await world.NewChannel();
        })
        {
            Create = scene => new() { ["channelId"] = scene["channel"].ToString(), ["platformUserId"] = $"1{scene.Mark}" },
            Holds = "SELECT count(*) = 1 AND bool_and(k.client_id = {client}) FROM contacts k WHERE k.channel_id = {channel}",
        },
        new("a conversation is its contact's client's", ContactResource.Contacts, Outcome.Settled, async (world, scene) =>
        {
            scene["client"] = await world.NewClient();
            scene["channel"] = await world.NewChannel();
            scene["row"] = await world.New("contacts", new { channelId = scene["channel"], platformUserId = $"1{scene.Mark}" });
        })
        {
            Create = scene => new() { ["channelId"] = scene["channel"].ToString(), ["platformUserId"] = $"2{scene.Mark}", ["clientId"] = scene["client"].ToString() },
            Change = scene => new() { ["clientId"] = scene["client"].ToString() },
            Holds = "SELECT count(*) > 0 AND bool_and(v.client_id = k.client_id) FROM contacts k JOIN conversations v ON v.contact_id = k.id WHERE k.channel_id = {channel}",
        },
        new("a lead that becomes a customer is converted", Clients, Outcome.Settled, async (world, scene) => scene["row"] = await world.NewClient(new { phone = scene.Phone }))
        {
            Change = _ => new() { ["clientType"] = "customer" },
            Actions = [("convert", _ => [])],
            ActionOutcome = Outcome.Settled,
            Holds = IsConverted,
        },
        new("a lead is converted once", Clients, Outcome.Settled, async (world, scene) =>
        {
            scene["row"] = await world.NewClient(new { phone = scene.Phone });
            await world.Act("clients", scene["row"], "convert", new { deal = new { name = "First" } });
        })
        {
            Change = _ => new() { ["clientType"] = "prospect" },
            Actions = [("convert", _ => new() { ["deal"] = new JsonObject { ["name"] = "Second" } })],
            Holds = $"{IsConverted} AND (SELECT count(*) = 1 FROM deals d WHERE d.client_id = {{row}}) AND (SELECT c.converted_at < now() - interval '1 millisecond')",
        },
        new("who is a lead again is not converted", Clients, Outcome.Settled, async (world, scene) =>
        {
            scene["row"] = await world.NewClient(new { phone = scene.Phone });
            await world.Act("clients", scene["row"], "convert", new { });
        })
        {
            Change = _ => new() { ["clientType"] = "lead" },
            Holds = "SELECT c.converted_at IS NULL FROM clients c WHERE c.id = {row}",
        },
        new("nobody writes when a lead was converted", Clients, Outcome.Ignored, async (world, scene) => scene["row"] = await world.NewClient(new { phone = scene.Phone }))
        {
            Create = scene => new() { ["source"] = scene.Mark, ["convertedAt"] = "2020-01-01T00:00:00Z" },
            Change = _ => new() { ["convertedAt"] = "2020-01-01T00:00:00Z" },
            Holds = "SELECT count(*) = 0 FROM clients c WHERE (c.id = {row} OR c.source = '{mark}') AND c.converted_at IS NOT NULL",
        },
        new("a status is in the history, whoever changes it", Clients, Outcome.Settled, async (world, scene) => scene["row"] = await world.NewClient(new { phone = scene.Phone }))
        {
            Change = _ => new() { ["status"] = "sold" },
            Actions = [("status", _ => new() { ["status"] = "sold" })],
            ActionOutcome = Outcome.Settled,
            Holds = "SELECT count(*) = 1 AND bool_and(h.old_status = 'new_lead' AND h.new_status = 'sold' AND h.changed_by = 'human') FROM client_status_history h WHERE h.client_id = {row}",
        },
        new("a tag that is used is in the list", Clients, Outcome.Settled, async (world, scene) => scene["row"] = await world.NewClient(new { phone = scene.Phone }))
        {
            Create = scene => new() { ["tags"] = new JsonArray($"tag {scene.Mark}") },
            Change = scene => new() { ["tags"] = new JsonArray($"tag {scene.Mark}") },
            Holds = "SELECT count(*) = 1 FROM tags g WHERE g.name = 'tag {mark}'",
        },
        new("a tag is borne once", Clients, Outcome.Settled, async (world, scene) => scene["row"] = await world.NewClient(new { phone = scene.Phone }))
        {
            Create = scene => new() { ["source"] = scene.Mark, ["tags"] = new JsonArray("b", "a", "b") },
            Change = _ => new() { ["tags"] = new JsonArray("b", "a", "b") },
            Holds = "SELECT bool_and(c.tags IN ('{b,a}')) FROM clients c WHERE c.source = '{mark}' OR c.id = {row} AND c.tags <> '{}'",
        },
        new("a tag is in the list once", Tags, Outcome.Refused, async (world, scene) =>
        {
            await world.New("tags", new { name = scene.Mark });
            scene["row"] = await world.New("tags", new { name = $"other {scene.Mark}" });
        })
        {
            Create = scene => new() { ["name"] = scene.Mark },
            Holds = "SELECT count(*) = 1 FROM tags g WHERE g.name = '{mark}'",
        },
        new("a partner who is not available gets no client", Clients, Outcome.Refused, async (world, scene) =>
        {
            scene["partner"] = await world.New("partners", new { name = scene.Mark, isAvailable = false });
            scene["row"] = await world.NewClient(new { phone = scene.Phone });
        })
        {
            Create = scene => new() { ["assignedPartnerId"] = scene["partner"].ToString() },
            Change = scene => new() { ["assignedPartnerId"] = scene["partner"].ToString() },
            Holds = "SELECT count(*) = 0 FROM clients c WHERE c.assigned_partner_id = {partner}",
        },
        new("a partner who is not available gets no product", Products, Outcome.Refused, async (world, scene) =>
        {
            scene["partner"] = await world.New("partners", new { name = scene.Mark, isAvailable = false });
            scene["row"] = await world.New("products", new { name = "Tent", ecommerceProductId = scene.Mark });
        })
        {
            Create = scene => new() { ["name"] = "Tent", ["partnerId"] = scene["partner"].ToString() },
            Change = scene => new() { ["partnerId"] = scene["partner"].ToString() },
            Holds = "SELECT count(*) = 0 FROM products p WHERE p.partner_id = {partner}",
        },
        new("another organization's partner gets nothing", Clients, Outcome.Refused, async (world, scene) =>
        {
            scene["partner"] = (await world.Stranger.Create("partners", new { name = scene.Mark })).Id();
            scene["row"] = await world.NewClient(new { phone = scene.Phone });
        })
        {
            Create = scene => new() { ["assignedPartnerId"] = scene["partner"].ToString() },
            Change = scene => new() { ["assignedPartnerId"] = scene["partner"].ToString() },
            Holds = "SELECT count(*) = 0 FROM clients c WHERE c.assigned_partner_id = {partner}",
        },
        new("a type of agent has one default prompt", PromptVariantResource.PromptVariants, Outcome.Settled, async (world, scene) =>
        {
            foreach (var isDefault in new[] { true, false })
            {
                scene["row"] = await world.New("prompt-variants", new { agentType = "sales", name = scene.Mark, prompt = "Sell.", isDefault });
            }
        })
        {
            // In SQL the index refuses a second one.
            SqlOutcome = Outcome.Refused,
            Create = scene => new() { ["agentType"] = "sales", ["name"] = scene.Mark, ["prompt"] = "Sell more.", ["isDefault"] = true },
            Change = _ => new() { ["isDefault"] = true },
            Holds = "SELECT count(*) = 1 FROM prompt_variants p WHERE p.agent_type = 'sales' AND p.is_default",
        },
    ];
}
