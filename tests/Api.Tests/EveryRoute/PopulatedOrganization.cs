using System.Net.Http.Json;
using System.Text.Json.Nodes;
using AgentPlatform.Api.Tests.TestApp;

namespace AgentPlatform.Api.Tests.EveryRoute;

/// <summary>An organization that has one of everything.</summary>
internal sealed class PopulatedOrganization(TestOrganization organization, WhatsAppLine line, IReadOnlyDictionary<string, Guid> ids)
{
    public TestOrganization Organization => organization;

    public WhatsAppLine Line => line;

    /// <summary>Path of a resource → the id of one.</summary>
    public IReadOnlyDictionary<string, Guid> Ids => ids;

    public static async Task<PopulatedOrganization> Create(EngineApp app)
    {
        var organization = await app.NewOrganization();
        var ids = new Dictionary<string, Guid>(StringComparer.Ordinal) { ["members"] = (await organization.AddUser(Api.Auth.Role.Member)).Id, ["organization"] = organization.Id };

        async Task Add(string path, object body) => ids[path] = (await organization.Create(path, body)).Id();
        await Add("personas", new { name = "Ana" });
        await Add("llm-models", new { provider = "openai", name = "Model", modelId = "model-1" });
        await Add("llm-credentials", new { provider = "openai", apiKey = "key" });
        await Add("agents", new { name = "Agent", personaId = ids["personas"], llmModelId = ids["llm-models"] });
        await Add("prompt-variants", new { agentType = "sales", name = "A", prompt = "Sell." });
        await Add("channels", new { name = "Web", platform = "web", agentId = ids["agents"] });
        ids["web-widgets"] = ids["channels"];
        await Add("knowledge-sources", new { name = "Prices", type = "url", url = "https://example.com/prices" });
        await Add("email-templates", new { name = "Welcome", subject = "Welcome", bodyText = "Hello." });
        await Add("automation-rules", new { name = "Rule", triggerType = "manual", actions = new[] { new { type = "hand_over" } } });
        await Add("sequences", new { name = "Sequence", triggerType = "manual" });
        await Add("sequence-steps", new { sequenceId = ids["sequences"], actionType = "send_message", template = "Hello." });
        await Add("workflows", new
        {
            name = "Workflow",
            triggerType = "manual",
            graph = new { nodes = new[] { new { id = "start", kind = "start" }, new { id = "end", kind = "end" } }, edges = new[] { new { from = "start", to = "end" } } },
        });
        ids["executions"] = Guid.CreateVersion7();
        await organization.Execute(
            "INSERT INTO workflow_executions (id, organization_id, workflow_id, workflow_version) VALUES ($1, $2, $3, 1)", ids["executions"], organization.Id, ids["workflows"]);
        await Add("experiments", new { agentType = "sales", name = "Experiment" });
        await Add("experiment-variants", new { experimentId = ids["experiments"], promptVariantId = ids["prompt-variants"], weight = 50 });
        await Add("dialogue-analyses", new { analysisType = "problem_areas", data = new { slow = 3 } });
        await Add("agent-integrations", new { agentId = ids["agents"], kind = "webhook", name = "Bookings", url = "https://example.com/bookings", secret = "secret" });
        await Add("content-collections", new { channelId = ids["channels"], collectionId = "welcome", name = "Welcome" });
        await Add("keyword-actions", new { channelId = ids["channels"], keyword = "human", actionType = "DISABLE_AI" });
        await Add("knowledge-categories", new { title = "Tours" });
        await Add("knowledge-articles", new { title = "Sahara", content = "Sand.", categoryId = ids["knowledge-categories"] });
        ids["knowledge-chunks"] = Guid.CreateVersion7();
        await organization.Execute("INSERT INTO knowledge_chunks (id, organization_id, source_id, content) VALUES ($1, $2, $3, '300 USD')", ids["knowledge-chunks"], organization.Id, ids["knowledge-sources"]);
        await Add("partners", new { name = "Guide" });
        await Add("products", new { name = "Tour", partnerId = ids["partners"] });
        await Add("tours", new { productId = ids["products"], startDate = "2030-01-01T00:00:00Z", endDate = "2030-01-02T00:00:00Z" });
        await Add("clients", new { firstName = "Anna", assignedTo = organization.OwnerId });
        await Add("client-products", new { clientId = ids["clients"], productId = ids["products"] });
        await Add("client-tours", new { clientId = ids["clients"], tourId = ids["tours"], status = "booked" });
        await Add("crm-connections", new { baseDomain = "example.kommo.com", accessToken = "token" });
        await Add("crm-credentials", new { clientId = "app", clientSecret = "secret" });
        await Add("crm-pipelines", new { connectionId = ids["crm-connections"], externalId = "1", name = "Sales" });
        await Add("crm-pipeline-stages", new { pipelineId = ids["crm-pipelines"], externalId = "1", name = "New" });
        await Add("deals", new { clientId = ids["clients"], name = "Deal", pipelineStageId = ids["crm-pipeline-stages"] });
        ids["deal-stage-changes"] = (await (await organization.Owner.GetAsync("/v1/deal-stage-changes")).Json()).Items()[0].Id();
        await Add("orders", new { clientId = ids["clients"], dealId = ids["deals"], orderNumber = "1" });
        await Add("activities", new { activityType = "call", subject = "Call", clientId = ids["clients"] });
        await Add("notes", new { clientId = ids["clients"], content = "Note" });
        await Add("tags", new { name = "vip" });
        await Add("call-recordings", new { clientId = ids["clients"], activityId = ids["activities"] });
        await (await organization.Owner.PostAsJsonAsync($"/v1/clients/{ids["clients"]}/status", new { status = "qualified" })).Json();
        ids["client-status-changes"] = (await (await organization.Owner.GetAsync("/v1/client-status-changes")).Json()).Items()[0].Id();

        await Add("invitations", new { email = $"guest-{Guid.NewGuid():N}@example.com", role = "member" });
        await Add("api-keys", new { name = "Website", role = "member", scopes = new[] { "clients:read" } });
        await organization.Execute(
            "SELECT notify_member($1, $2, 'quota_warning', 'Eighty percent')", organization.Id, organization.OwnerId);
        ids["notifications"] = (await (await organization.Owner.GetAsync("/v1/notifications")).Json()).Items()[0].Id();
        ids["outgoing-emails"] = ids["installation-emails"] = (await (await organization.Owner.GetAsync("/v1/outgoing-emails")).Json()).Items()[0].Id();
        await organization.SignIn(organization.OwnerEmail);
        ids["sessions"] = (await (await organization.Owner.GetAsync("/v1/sessions")).Json()).Items().First(session => !session["current"]!.GetValue<bool>()).Id();

        var line = await app.NewLine(organization);
        await line.Write("15550001111", "Hello");
        var conversation = Assert.Single((await (await organization.Owner.GetAsync("/v1/conversations")).Json()).Items());
        ids["conversations"] = conversation.Id();
        ids["whatsapp-sessions"] = (await (await organization.Owner.GetAsync("/v1/whatsapp-sessions")).Json()).Items()[0].Id();
        await Add("agent-memories", new { clientId = ids["clients"], key = "food", content = "Eats no meat." });
        ids["contacts"] = conversation["contactId"]!.GetValue<Guid>();
        ids["messages"] = (await (await organization.Owner.GetAsync($"/v1/conversations/{conversation.Id()}/messages")).Json()).Items()[0].Id();
        ids["turns"] = Guid.CreateVersion7();
        await organization.Execute(
            "INSERT INTO turns (id, organization_id, conversation_id, state, epoch, first_sequence, last_sequence, due_at) VALUES ($1, $2, $3, 'completed', 0, 1, 1, now())",
            ids["turns"], organization.Id, conversation.Id());
        await organization.Execute("SELECT refresh_all_analytics()");
        await AddBilling(organization, ids);
        ids["activity-logs"] = (await (await organization.Owner.GetAsync("/v1/activity-logs")).Json()).Items()[0].Id();
        ids["jobs"] = Guid.CreateVersion7();
        await organization.Execute(
            "INSERT INTO jobs (id, organization_id, user_id, type, work, status, completed_at) VALUES ($1, $2, $3, 'file_processing', 'resource_import', 'completed', now())", ids["jobs"], organization.Id, organization.OwnerId);
        ids["job-errors"] = Guid.CreateVersion7();
        await organization.Execute("INSERT INTO job_errors (id, organization_id, job_id, line, detail) VALUES ($1, $2, $3, 1, 'Wrong.')", ids["job-errors"], organization.Id, ids["jobs"]);
        ids["files"] = (await (await organization.Owner.PostAsync("/v1/files?name=partners.json", new StringContent("{}"))).Json(System.Net.HttpStatusCode.Created)).Id();
        return new PopulatedOrganization(organization, line, ids);
    }

    /// <summary>The engine writes these; nobody does through the API.</summary>
    private static async Task AddBilling(TestOrganization organization, Dictionary<string, Guid> ids)
    {
        ids["organizations"] = organization.Id;
        ids["billing-invoices"] = Guid.CreateVersion7();
        ids["usage-alerts"] = Guid.CreateVersion7();
        await organization.Execute("INSERT INTO pricing_plans (code, tier, name) VALUES ('everything', 'enterprise', 'Everything') ON CONFLICT DO NOTHING");
        await organization.Execute("INSERT INTO subscriptions (organization_id, plan_id, status) SELECT $1, id, 'active' FROM pricing_plans WHERE code = 'everything'", organization.Id);
        await organization.Execute(
            "INSERT INTO billing_invoices (id, organization_id, description, amount, period_start, period_end, due_at) VALUES ($1, $2, 'A month', 10, '2030-01-01Z', '2030-02-01Z', '2030-01-15Z')",
            ids["billing-invoices"], organization.Id);
        await organization.Execute("INSERT INTO usage_alerts (id, organization_id, kind, level, period_start) VALUES ($1, $2, 'tokens', 'warning', '2030-01-01')", ids["usage-alerts"], organization.Id);
        await organization.Execute("INSERT INTO usage_daily (organization_id, usage_date, interactions) VALUES ($1, '2030-01-01', 1)", organization.Id);
    }

    /// <summary>The path with an id of this organization in it.</summary>
    public string Path(ApiOperation operation) => Path(operation, ids.GetValueOrDefault(operation.Path.Split('/')[2]));

    public static string Path(ApiOperation operation, Guid id) => operation.Path.Replace("{id}", id.ToString(), StringComparison.Ordinal);

    /// <summary>What one organization has as well as the other, or neither: the installation's plans, and what super admins see and do of any organization.</summary>
    public static bool IsOfInstallation(ApiOperation operation) =>
        operation.Path.StartsWith("/v1/pricing-plans/", StringComparison.Ordinal) || operation.Path.StartsWith("/v1/organizations", StringComparison.Ordinal)
        || operation.Path.StartsWith("/v1/installation-", StringComparison.Ordinal);

    /// <summary>The owner's answer to a request, without what differs each time.</summary>
    public async Task<(int Status, string Body)> Send(ApiOperation operation, string path, JsonObject? body, string version = "*")
    {
        using var request = Request(operation, path, body, version);
        using var answer = await organization.Owner.SendAsync(request);
        var text = await answer.Content.ReadAsStringAsync();
        if (JsonNode.Parse(text.Length == 0 ? "{}" : text) is not JsonObject json)
        {
            return ((int)answer.StatusCode, text);
        }
        json.Remove("traceId");
        return ((int)answer.StatusCode, json.ToJsonString());
    }

    public static HttpRequestMessage Request(ApiOperation operation, string path, JsonObject? body, string version = "*")
    {
        var request = new HttpRequestMessage(new HttpMethod(operation.Method), path) { Content = body is null ? null : JsonContent.Create(body) };
        if (operation.Parameters("header").Contains("If-Match"))
        {
            request.Headers.TryAddWithoutValidation("If-Match", version);
        }
        return request;
    }

    /// <summary>A request that fits the operation's schema, with references to this organization's own things.</summary>
    public JsonObject? Body(ApiOperation operation)
    {
        if (operation.Body is null)
        {
            return null;
        }
        var body = operation.Example ?? [];
        foreach (var (property, path) in References(operation))
        {
            if (body.ContainsKey(property))
            {
                body[property] = ids[path].ToString();
            }
        }
        return body;
    }

    /// <summary>The members of a body that name something else, and what.</summary>
    public static IEnumerable<(string Property, string Path)> References(ApiOperation operation)
    {
        foreach (var (property, schema) in operation.Body?["properties"]?.AsObject() ?? [])
        {
            // An id itself is the caller's own, of what is new.
            if (property != "id" && operation.Resolve(schema!)["format"]?.GetValue<string>() == "uuid")
            {
                yield return (property, Named(operation, property) ?? throw new InvalidOperationException($"{operation} has a reference {property}: say here what it names."));
            }
        }
    }

    /// <summary>What a member of a body, or a parameter, of this name names; null where it may name many kinds of things.</summary>
    public static string? Named(ApiOperation operation, string property) => property switch
    {
        "channelId" or "channelIds" => "channels",
        "agentId" or "defaultAgentId" => "agents",
        "personaId" => "personas",
        "llmModelId" or "fallbackModelId" => "llm-models",
        "promptVariantId" => "prompt-variants",
        "categoryId" or "categoryIds" or "parentId" => "knowledge-categories",
        "sourceIds" => "knowledge-sources",
        "clientId" => "clients",
        "conversationId" => "conversations",
        "connectionId" => "crm-connections",
        "emailTemplateId" => "email-templates",
        "sequenceId" => "sequences",
        "experimentId" => "experiments",
        "fileId" => "files",
        "partnerId" or "assignedPartnerId" => "partners",
        "productId" => "products",
        "tourId" => "tours",
        "dealId" => "deals",
        "activityId" => "activities",
        "messageId" or "replyTo" => "messages",
        "pipelineId" => "crm-pipelines",
        "pipelineStageId" or "stageId" => "crm-pipeline-stages",
        "organizationId" or "defaultOrganizationId" => "organization",
        "userId" or "assignedTo" or "assigneeId" or "ownerId" or "mentions" => "members",
        "ids" => operation.Path.Split('/')[2],
        _ => null,
    };
}
