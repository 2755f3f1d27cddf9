using System.Text;
using System.Text.Json.Nodes;
using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Resources;
using AgentPlatform.Api.Shapes;
using AgentPlatform.Api.Tests.TestApp;
using AgentPlatform.Api.Transfer;

namespace AgentPlatform.Api.Tests.Jobs;

/// <summary>What one organization exports, another imports, and has the same: every resource that can be imported, with all of its columns.</summary>
public sealed class MovingTests(JobApp app) : IClassFixture<JobApp>
{
    private const string Long = "2020-02-03T04:05:06.123456Z";

    /// <summary>Messages and their conversations stay where they were written, files where they were uploaded.</summary>
    private static readonly string[] NotGiven = ["activities.messageId", "agent-memories.conversationId", "call-recordings.conversationId", "call-recordings.fileId"];

    /// <summary>Rows whose fields can't all have any value at once.</summary>
    private static readonly Dictionary<string, JsonObject[]> Given = new()
    {
        ["deals"] =
        [
            new() { ["stage"] = "closed_won", ["wonReason"] = "Price", ["actualCloseDate"] = "2020-02-03", ["probability"] = 100 },
            new() { ["stage"] = "negotiation", ["probability"] = 33, ["actualCloseDate"] = null, ["externalId"] = "second", ["lostReason"] = null },
        ],
        ["orders"] = [new() { ["orderNumber"] = "1", ["status"] = "delivered" }, new() { ["orderNumber"] = "2", ["status"] = "refunded", ["ecommerceOrderId"] = "second", ["items"] = null, ["subtotal"] = 12.34m }],
        ["activities"] = [new() { ["activityType"] = "call", ["status"] = "completed" }, new() { ["activityType"] = "task", ["callDirection"] = null, ["callOutcome"] = null, ["callDurationSeconds"] = null }],
        ["clients"] =
        [
            new() { ["phone"] = "+15550001111", ["email"] = "shared@example.com", ["firstName"] = "=1+1; \"Анна\"", ["tags"] = new JsonArray("vip", "north, south") },
            new() { ["phone"] = "+15550002222", ["email"] = "shared@example.com", ["ecommerceCustomerId"] = "second", ["lastName"] = "two\nlines" },
        ],
        ["contacts"] = [new() { ["platformUserId"] = "visitor-1" }, new() { ["platformUserId"] = "visitor-2", ["clientId"] = null, ["phone"] = "+15550002222" }],
        ["products"] = [new() { ["name"] = "Tour", ["type"] = "tour" }, new() { ["name"] = "Other", ["sku"] = "second", ["ecommerceProductId"] = null, ["partnerId"] = null }],
        ["tours"] = [new() { ["startDate"] = "2030-01-01T00:00:00Z", ["endDate"] = "2030-01-02T00:00:00Z", ["maxParticipants"] = 10 }],
        ["client-tours"] = [new() { ["status"] = "confirmed", ["participants"] = 3 }],
        ["keyword-actions"] = [new() { ["actionType"] = "SEND_COLLECTION", ["collectionId"] = "welcome" }],
        ["knowledge-categories"] = [new() { ["title"] = "Above", ["parentId"] = null }, new() { ["title"] = "Below" }],
        ["call-recordings"] = [new() { ["startedAt"] = "2026-05-20T09:30:00Z", ["endedAt"] = "2026-05-20T09:40:00Z" }],
        ["email-templates"] = [new() { ["subject"] = "{{client.firstName}}" }],
        ["prompt-variants"] = [new() { ["isDefault"] = true }],
        ["agent-memories"] = [new() { ["expiresAt"] = "2030-01-01T00:00:00Z" }],
        ["tags"] = [new() { ["name"] = "vip", ["color"] = "#123456" }],
    };

    [Theory]
    [InlineData("csv", "csv")]
    [InlineData("jsonl", "json")]
    public async Task Everything_that_can_be_imported_arrives_as_it_was(string exported, string imported)
    {
        var (source, target) = (await app.NewOrganization(), await app.NewOrganization());
        var (colleague, _) = await source.AddUser(Role.Member);
        await target.Execute("INSERT INTO organization_members (organization_id, user_id, role) VALUES ($1, $2, 'member')", target.Id, colleague);
        var ids = new Dictionary<string, Guid> { ["users"] = colleague };
        foreach (var organization in new[] { target, source })
        {
            ids["agents"] = (await organization.Create("agents", new { name = "Agent" })).Id();
            ids["channels"] = (await organization.Create("channels", new { name = "Web", platform = "web" })).Id();
            ids["crm_connections"] = (await organization.Create("crm-connections", new { baseDomain = "example.kommo.com", accessToken = "token" })).Id();
        }
        var resources = InOrder();
        foreach (var resource in resources)
        {
            await Fill(source, resource, ids);
        }
        foreach (var resource in resources)
        {
            var export = await source.Owner.Job("/v1/jobs/exports", new { resource = resource.Path, format = exported, references = "keys" });
            var file = await source.Owner.Download(export);
            var isUpsert = resource.Path == "tags";
            var import = await target.Owner.Job("/v1/jobs/imports", new { resource = resource.Path, format = imported, fileId = await target.Owner.Upload(file), mode = isUpsert ? "upsert" : "create", key = isUpsert ? "name" : null });
            Assert.Empty(await target.Owner.Errors(import));
        }
        foreach (var resource in resources)
        {
            var (before, after) = (await Rows(source, resource), await Rows(target, resource));
            Assert.NotEmpty(before);
            Assert.Equal(before, after);
        }
        Assert.Equal(await Revenue(source), await Revenue(target));
        Assert.Equal((await source.Owner.All("tours")).Select(tour => tour["currentParticipants"]!.ToString()), (await target.Owner.All("tours")).Select(tour => tour["currentParticipants"]!.ToString()));

        static async Task<string[]> Revenue(TestOrganization organization) =>
            [.. (await organization.Owner.All("clients")).Select(client => $"{client["phone"]} {client["totalOrders"]} {client["totalRevenue"]}").Order()];
    }

    /// <summary>What is referred to comes first.</summary>
    private static Resource[] InOrder()
    {
        var rest = ResourceCatalog.All.Where(resource => resource.Import is not null).ToList();
        var order = new List<Resource>();
        while (rest.Count > 0)
        {
            var next = rest.First(resource => !References(resource.Shape).Any(table => table != resource.Table && rest.Exists(other => other.Table == table)));
            rest.Remove(next);
            order.Add(next);
        }
        // A keyword's collection is named by a text.
        return [.. order.OrderBy(resource => resource.Path == "keyword-actions")];
    }

    private static IEnumerable<string> References(Shape shape) => shape.Fields.SelectMany(field => field switch
    {
        { References: { } table } when field.IsGivenAt(ShapeUse.Create) => [table],
        { Type: ListType { Item: ObjectType members } } => References(members.Shape),
        _ => [],
    });

    /// <summary>Rows in which every column has a value, as far as rules let them.</summary>
    private static async Task Fill(TestOrganization organization, Resource resource, Dictionary<string, Guid> ids)
    {
        var missing = resource.Shape.Fields.Where(field => field.IsGivenAt(ShapeUse.Create)).Select(field => field.Name).ToHashSet();
        foreach (var given in Given.GetValueOrDefault(resource.Path, [[]]))
        {
            var body = new JsonObject();
            foreach (var field in resource.Shape.Fields.Where(field => field.IsGivenAt(ShapeUse.Create)))
            {
                var value = given.ContainsKey(field.Name) ? given[field.Name]?.DeepClone() : Value(field, ids);
                if (value is not null)
                {
                    body[field.Name] = value;
                    missing.Remove(field.Name);
                }
            }
            if (resource.Path == "tags")
            {
                await organization.Execute("DELETE FROM tags WHERE organization_id = $1 AND name = 'vip'", organization.Id);
            }
            var row = (await organization.Create(resource.Path, body)).Id();
            ids[resource.Table] = row;
            foreach (var kept in resource.Import!.Kept.Where(kept => kept != "completedAt" || body["status"]!.GetValue<string>() == "completed"))
            {
                await organization.Execute($"UPDATE {resource.Table} SET {resource.Shape.Find(kept)!.Column} = '{Long}' WHERE id = $1", row);
            }
        }
        Assert.Empty(missing.Select(field => $"{resource.Path}.{field}").Except(NotGiven));
    }

    private static JsonNode? Value(Field field, Dictionary<string, Guid> ids) => field switch
    {
        { References: { } table, Type: ListType } => new JsonArray(ids[table].ToString()),
        { References: { } table } => ids.TryGetValue(table, out var id) ? id.ToString() : null,
        { Type: ListType { Item: ObjectType members } } => new JsonArray(new JsonObject(members.Shape.Fields.Select(member => KeyValuePair.Create(member.Name, Value(member, ids))))),
        _ => field.Type.Sample(),
    };

    /// <summary>The columns that can be imported, of all rows, in an order that doesn't hang on ids.</summary>
    private static async Task<string[]> Rows(TestOrganization organization, Resource resource)
    {
        var export = await organization.Owner.Job("/v1/jobs/exports", new { resource = resource.Path, format = "jsonl", references = "keys" });
        return [.. Encoding.UTF8.GetString(await organization.Owner.Download(export)).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(Comparable).Order(StringComparer.Ordinal)];

        string Comparable(string line) => new JsonObject(JsonNode.Parse(line)!.AsObject()
            .Where(member => ImportShape.Of(resource).TryFind(member.Key, out var field) && field is { References: null })
            .Select(member => KeyValuePair.Create(member.Key, member.Value?.DeepClone()))).ToJsonString();
    }
}
