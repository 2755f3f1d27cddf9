using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using AgentPlatform.Api.Auth;
using AgentPlatform.Bench.Data;

namespace AgentPlatform.Bench.Processes;

/// <summary>The admin API as the owner of the bench's organization sees it, who is a super admin besides, so that no list is closed to him.</summary>
public sealed class AdminClient : IDisposable
{
    private const string Password = "bench password, long enough";

    private AdminClient(HttpClient http) => Http = http;

    /// <summary>Signed in.</summary>
    public HttpClient Http { get; }

    /// <summary>Makes the owner, and signs in.</summary>
    public static async Task<AdminClient> SignInAsync(BenchDatabase database, SiloProcess silo, TimeSpan patience)
    {
        using (var passwords = new Passwords())
        {
            await database.ExecuteAsync($"""
                INSERT INTO users (id, email, password_hash, is_super_admin) VALUES ('{database.ChannelId}', 'bench@example.com', '{passwords.Hash(Password)}', true);
                INSERT INTO organization_members (organization_id, user_id, role) VALUES ('{database.OrganizationId}', '{database.ChannelId}', 'owner');
                """);
        }
        var http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{silo.Port}"), Timeout = patience };
        var session = await AnswerAsync(await http.PostAsJsonAsync("/v1/auth/login", new { email = "bench@example.com", password = Password }));
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", session["accessToken"]!.GetValue<string>());
        return new AdminClient(http);
    }

    /// <summary>The JSON of an answer; throws with its text where it isn't a success.</summary>
    public static async Task<JsonNode> AnswerAsync(HttpResponseMessage answer)
    {
        var text = await answer.Content.ReadAsStringAsync();
        return answer.IsSuccessStatusCode ? JsonNode.Parse(text)! : throw new InvalidOperationException($"{answer.RequestMessage?.RequestUri}: {(int)answer.StatusCode} {text}");
    }

    /// <inheritdoc />
    public void Dispose() => Http.Dispose();
}
