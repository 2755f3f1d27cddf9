using System.Net.Http.Json;
using System.Text.Json.Nodes;
using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Tests.TestApp;
using AgentPlatform.Data.Connections;
using AgentPlatform.Data.Tenancy;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using NpgsqlTypes;

namespace AgentPlatform.Api.Tests.Crm.Rules;

/// <summary>The product, with one organization in which all rules are tried.</summary>
public sealed class RuleApp : EngineApp
{
    private readonly SemaphoreSlim _gate = new(1);
    private RuleWorld? _world;

    public async Task<RuleWorld> World()
    {
        await _gate.WaitAsync();
        try
        {
            return _world ??= await RuleWorld.Create(this);
        }
        finally
        {
            _gate.Release();
        }
    }

    protected override Dictionary<string, string?> Settings() => new(base.Settings()) { ["JOB_PROGRESS_MILLISECONDS"] = "0" };
}

/// <summary>One organization in which rules are tried, and another whose people and rows are strangers.</summary>
public sealed class RuleWorld
{
    private readonly RuleApp _app;

    private RuleWorld(RuleApp app)
    {
        _app = app;
    }

    public required TestOrganization Organization { get; init; }

    public required TestOrganization Stranger { get; init; }

    /// <summary>Somebody of the lowest role that may write.</summary>
    public required HttpClient Member { get; init; }

    public static async Task<RuleWorld> Create(RuleApp app)
    {
        var organization = await app.NewOrganization();
        return new RuleWorld(app) { Organization = organization, Stranger = await app.NewOrganization(), Member = await organization.Member(Role.Member) };
    }

    /// <summary>A row made through the API, by its owner.</summary>
    public async Task<Guid> New(string path, object body) => (await Organization.Create(path, body)).Id();

    /// <summary>A WhatsApp channel.</summary>
    public async Task<Guid> NewChannel() => (await _app.NewLine(Organization)).ChannelId;

    public Task<Guid> NewClient(object? body = null) => New("clients", body ?? new { firstName = "Anna" });

    public Task<Guid> NewDeal(Guid client, object? body = null) => New("deals", With(new JsonObject { ["clientId"] = client.ToString(), ["name"] = "Deal" }, body));

    public async Task<Guid> NewTour(object? body = null) => await New("tours", With(
        new JsonObject { ["productId"] = (await New("products", new { name = "Tour", type = "tour" })).ToString(), ["startDate"] = "2030-05-01T00:00:00Z", ["endDate"] = "2030-05-03T00:00:00Z" }, body));

    public async Task<Guid> NewBooking(Guid tour, string status, Guid? client = null) =>
        await New("client-tours", new { clientId = client ?? await NewClient(), tourId = tour, status });

    /// <summary>An action that must succeed.</summary>
    public async Task Act(string path, Guid id, string action, object body) => await (await Organization.Owner.PostAsJsonAsync($"/v1/{path}/{id}/{action}", body)).Json();

    /// <summary>One statement as the API's role, bound to the organization, in a transaction of its own; <c>$1</c> is the organization.</summary>
    public async Task Sql(string sql, params object?[] values)
    {
        await using var session = await Open();
        await session.ExecuteAsync(sql, default, [Organization.Id, .. values]);
        await session.CommitAsync();
    }

    /// <summary>A value as the API's role sees it.</summary>
    public async Task<T?> Read<T>(string sql, params object?[] values)
    {
        await using var session = await Open();
        return await session.ScalarAsync<T>(sql, default, [Organization.Id, .. values]);
    }

    public Task<TenantSession> Open() => TenantSession.OpenAsync(_app.Services.GetRequiredService<ApiDataSource>(), new Tenant(Organization.Id, Organization.OwnerId, "owner"));

    public static NpgsqlParameter Json(JsonObject value) => new() { Value = value.ToJsonString(), NpgsqlDbType = NpgsqlDbType.Jsonb };

    internal static JsonObject With(JsonObject body, object? more)
    {
        foreach (var (name, value) in more is null ? [] : System.Text.Json.JsonSerializer.SerializeToNode(more)!.AsObject())
        {
            body[name] = value?.DeepClone();
        }
        return body;
    }
}
