using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using AgentPlatform.Api.Tests.TestApp;

namespace AgentPlatform.Api.Tests.EveryRoute;

/// <summary>
/// For every route of the document one request that succeeds, made by whoever may make it, on an organization that has one of everything. The
/// document's examples do for most; what an example can't know stands in <see cref="Fitting"/>, what has to be there first in <see cref="Prepare"/>.
/// </summary>
internal sealed partial class EveryRequest
{
    private readonly EngineApp _app;
    private readonly PopulatedOrganization _populated;

    private EveryRequest(EngineApp app, PopulatedOrganization populated) => (_app, _populated) = (app, populated);

    /// <summary>Who sent it, and what came back.</summary>
    public sealed record Outcome(Guid? UserId, int Status, string Text)
    {
        public bool IsSuccess => Status is >= 200 and < 300;
    }

    /// <summary>The owner of the organization looks after the whole installation too, so that no route is closed.</summary>
    public static async Task<EveryRequest> Of(EngineApp app, PopulatedOrganization populated)
    {
        await populated.Organization.Execute("UPDATE users SET is_super_admin = true WHERE id = $1", populated.Organization.OwnerId);
        await populated.Organization.Execute("UPDATE pricing_plans SET is_public = true WHERE code = 'everything'");
        return new EveryRequest(app, populated);
    }

    /// <summary>
    /// All routes in an order in which each finds what it needs: first what others would leave nothing to do for, then all, then deletions (what is declared
    /// later refers to what is declared before), then what takes the caller's power.
    /// </summary>
    public static IEnumerable<ApiOperation> InOrder(ApiDescription document) => document.Operations.Index()
        .OrderBy(entry => Turn(entry.Item)).ThenBy(entry => entry.Item.Method == "DELETE" ? -entry.Index : entry.Index).Select(entry => entry.Item);

    private static int Turn(ApiOperation operation) => operation switch
    {
        { Method: "GET" } => 0,
        { Id: "readConversation" or "endSession" } => 1,
        { Id: "deleteOrganization" } => 4,
        { Id: "transferOwnership" } => 5,
        { Method: "DELETE" } => 3,
        _ => 2,
    };

    /// <summary>Sends the route's request.</summary>
    /// <param name="operation">The route.</param>
    /// <param name="userAgent">As what the sender goes.</param>
    /// <param name="query">With the question mark.</param>
    /// <param name="idempotencyKey">Another one each time, unless given.</param>
    public async Task<Outcome> Send(ApiOperation operation, string userAgent, string query = "", string? idempotencyKey = null)
    {
        var scene = await Prepare(operation);
        using var request = new HttpRequestMessage(new HttpMethod(operation.Method), Path(operation, scene) + (query.Length > 0 ? query : Query(operation)));
        request.Content = Content(operation, scene);
        var headers = operation.Parameters("header").ToHashSet();
        if (headers.Contains("If-Match"))
        {
            request.Headers.TryAddWithoutValidation("If-Match", "*");
        }
        if (headers.Contains("Idempotency-Key"))
        {
            request.Headers.Add("Idempotency-Key", idempotencyKey ?? Guid.NewGuid().ToString());
        }
        request.Headers.UserAgent.ParseAdd(userAgent);
        var client = scene.Client ?? (operation.NeedsSignIn ? _populated.Organization.Owner : _app.Anonymous);
        using var answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        // A stream of events has no end.
        var text = answer.Content.Headers.ContentType?.MediaType == "text/event-stream" ? "" : await answer.Content.ReadAsStringAsync();
        return new(scene.UserId ?? _populated.Organization.OwnerId, (int)answer.StatusCode, text);
    }

    private string Path(ApiOperation operation, Scene scene) => (scene.Id is { } id ? PopulatedOrganization.Path(operation, id) : _populated.Path(operation))
        .Replace("{invoiceId}", _populated.Ids["billing-invoices"].ToString(), StringComparison.Ordinal)
        .Replace("{channelId}", _populated.Ids["channels"].ToString(), StringComparison.Ordinal);

    private static string Query(ApiOperation operation) => operation.Id == "uploadFile" ? "?name=prices.txt" : "";

    private HttpContent? Content(ApiOperation operation, Scene scene)
    {
        if (operation.Json["requestBody"]?["content"]?["application/octet-stream"] is not null)
        {
            return new ByteArrayContent(Encoding.UTF8.GetBytes("300 USD"));
        }
        if (_populated.Body(operation) is not { } body)
        {
            return null;
        }
        foreach (var (name, value) in Fitting(operation))
        {
            Set(body, name, value);
        }
        foreach (var (name, value) in scene.Body)
        {
            Set(body, name, value);
        }
        return JsonContent.Create(body);
    }

    /// <summary>Null takes a member out of the example.</summary>
    private static void Set(JsonObject body, string name, JsonNode? value)
    {
        body.Remove(name);
        if (value is not null)
        {
            body[name] = value;
        }
    }

    /// <summary>What a route needs besides the example: the thing that it is about, whoever sends it, members of its body.</summary>
    private sealed record Scene
    {
        public Guid? Id { get; init; }

        public HttpClient? Client { get; init; }

        public Guid? UserId { get; init; }

        public (string Name, JsonNode? Value)[] Body { get; init; } = [];
    }
}
