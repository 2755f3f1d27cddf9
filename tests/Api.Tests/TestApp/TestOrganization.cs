using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using AgentPlatform.Api.Auth;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace AgentPlatform.Api.Tests.TestApp;

/// <summary>An organization with an owner, and more people as a test needs them.</summary>
public sealed class TestOrganization
{
    /// <summary>Everybody's password.</summary>
    public const string Password = "correct horse battery staple";

    private readonly ApiApp _app;
    private static readonly Lock HashGate = new();
    private static string? _hash;

    private TestOrganization(ApiApp app, Guid id)
    {
        _app = app;
        Id = id;
    }

    public Guid Id { get; }

    /// <summary>The owner's client.</summary>
    public HttpClient Owner { get; private set; } = null!;

    public string OwnerEmail { get; private set; } = "";

    public Guid OwnerId { get; private set; }

    public static async Task<TestOrganization> Create(ApiApp app)
    {
        var organization = new TestOrganization(app, Guid.CreateVersion7());
        await organization.Execute("INSERT INTO organizations (id, name, slug) VALUES ($1, $2, $3)", organization.Id, "Organization", $"o-{organization.Id:N}");
        (organization.OwnerId, organization.OwnerEmail) = await organization.AddUser(Role.Owner);
        organization.Owner = await organization.SignIn(organization.OwnerEmail);
        return organization;
    }

    /// <summary>A new member; returns a signed-in client.</summary>
    public async Task<HttpClient> Member(Role role) => await SignIn((await AddUser(role)).Email);

    public async Task<(Guid Id, string Email)> AddUser(Role role)
    {
        var id = Guid.CreateVersion7();
        var email = $"{role.Name()}-{id:N}@example.com";
        await Execute("INSERT INTO users (id, email, password_hash, full_name) VALUES ($1, $2, $3, $4)", id, email, Hash(), "Test Person");
        await Execute("INSERT INTO organization_members (organization_id, user_id, role) VALUES ($1, $2, $3)", Id, id, role.Name());
        return (id, email);
    }

    public async Task<HttpClient> SignIn(string email)
    {
        var answer = await Login(_app.Anonymous, email, Password);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return _app.Client((await answer.Content.ReadFromJsonAsync<JsonObject>())!["accessToken"]!.GetValue<string>());
    }

    public static Task<HttpResponseMessage> Login(HttpClient client, string email, string password) =>
        client.PostAsJsonAsync("/v1/auth/login", new { email, password });

    /// <summary>Creates a resource as the owner; returns its answer.</summary>
    public async Task<JsonObject> Create(string path, object body)
    {
        var answer = await Owner.PostAsJsonAsync($"/v1/{path}", body);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.StatusCode == HttpStatusCode.Created, $"POST /v1/{path}: {(int)answer.StatusCode} {text}");
        return JsonNode.Parse(text)!.AsObject();
    }

    /// <summary>Runs a statement as superuser.</summary>
    public async Task Execute(string sql, params object[] values)
    {
        await using var connection = new NpgsqlConnection(_app.DatabaseUrl);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        foreach (var value in values)
        {
            command.Parameters.Add(new() { Value = value });
        }
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>The first column of a statement's first row, as superuser.</summary>
    public async Task<T> Query<T>(string sql, params object[] values)
    {
        await using var connection = new NpgsqlConnection(_app.DatabaseUrl);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        foreach (var value in values)
        {
            command.Parameters.Add(new() { Value = value });
        }
        return (T)(await command.ExecuteScalarAsync())!;
    }

    /// <summary>Hashing takes its time on purpose: once for all.</summary>
    private string Hash()
    {
        lock (HashGate)
        {
            return _hash ??= _app.Services.GetRequiredService<Passwords>().Hash(Password);
        }
    }
}
