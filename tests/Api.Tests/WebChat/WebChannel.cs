using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using AgentPlatform.Api.Tests.TestApp;
using AgentPlatform.Conversations;
using Microsoft.Extensions.DependencyInjection;

namespace AgentPlatform.Api.Tests.WebChat;

/// <summary>A web channel under test.</summary>
internal sealed record WebChannel(WebChatApp App, TestOrganization Organization, Guid Id)
{
    public string Root => $"/v1/web/{Id}";

    /// <summary>A new visitor with a token.</summary>
    public async Task<ChatVisitor> NewVisitor()
    {
        var visitor = await (await App.Anonymous.PostAsJsonAsync($"{Root}/visitors", new { })).Json(HttpStatusCode.Created);
        return new ChatVisitor(this, visitor["visitorId"]!.GetValue<Guid>(), visitor.Text("token"));
    }

    /// <summary>What the erasure of everybody in the channel does to what visitors are known by.</summary>
    public async Task Erase()
    {
        await Organization.Execute("DELETE FROM contact_identities WHERE channel_id = $1", Id);
        await Organization.Execute("UPDATE contacts SET platform_user_id = 'erased-' || gen_random_uuid(), first_identity = 'erased-' || gen_random_uuid() WHERE channel_id = $1", Id);
        await Organization.Execute("UPDATE conversations SET version = version + 1 WHERE channel_id = $1", Id);
    }
}

/// <summary>An event as the stream sent it.</summary>
internal sealed record ChatEvent(string Name, long? Id, JsonObject Data);

/// <summary>A visitor who talks to the API as the chat page does.</summary>
internal sealed class ChatVisitor(WebChannel channel, Guid id, string token)
{
    public Guid Id => id;

    public string Token => token;

    public HttpClient Client { get; } = channel.App.Client(token);

    public IConversationGrain Conversation =>
        channel.App.Services.GetRequiredService<IGrainFactory>().GetGrain<IConversationGrain>(new ConversationKey(channel.Id, id.ToString("N")).ToString());

    public Task<HttpResponseMessage> Send(string text, Guid? messageId = null, string? choiceId = null, Guid? replyTo = null)
    {
        var body = new JsonObject { ["id"] = messageId ?? Guid.NewGuid(), ["text"] = text };
        if (choiceId is not null)
        {
            body["choiceId"] = choiceId;
        }
        if (replyTo is not null)
        {
            body["replyTo"] = replyTo;
        }
        return Client.PostAsJsonAsync($"{channel.Root}/messages", body);
    }

    public async Task<JsonObject> Page(string query = "") => await (await Client.GetAsync($"{channel.Root}/messages{query}")).Json();

    public async Task<JsonObject[]> Messages() => (await Page("?limit=200")).Items();

    /// <summary>Waits until the conversation has so many messages that the visitor may see.</summary>
    public async Task<JsonObject[]> Until(int count)
    {
        JsonObject[] messages = [];
        await Eventually.Holds(async () => (messages = await Messages()).Length >= count);
        return messages;
    }

    /// <summary>The events of one connection, until it is left.</summary>
    public async IAsyncEnumerable<ChatEvent> Events(long? lastEventId = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"{channel.Root}/events");
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/event-stream"));
        if (lastEventId is { } last)
        {
            request.Headers.Add("Last-Event-ID", last.ToString(CultureInfo.InvariantCulture));
        }
        using var answer = await Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal("text/event-stream", answer.Content.Headers.ContentType?.MediaType);
        using var reader = new StreamReader(await answer.Content.ReadAsStreamAsync(cancellationToken));
        var fields = new Dictionary<string, string>();
        while (await reader.ReadLineAsync(cancellationToken) is { } line)
        {
            if (line.StartsWith(':'))
            {
                yield return new ChatEvent("comment", null, []);
            }
            else if (line.Length > 0)
            {
                var colon = line.IndexOf(": ", StringComparison.Ordinal);
                fields[line[..colon]] = line[(colon + 2)..];
            }
            else if (fields.Count > 0)
            {
                yield return new ChatEvent(
                    fields["event"],
                    fields.TryGetValue("id", out var sequence) ? long.Parse(sequence, CultureInfo.InvariantCulture) : null,
                    JsonNode.Parse(fields["data"])!.AsObject());
                fields.Clear();
            }
        }
    }

    /// <summary>Reads events until one fits; fails when none comes in time.</summary>
    public async Task<List<ChatEvent>> EventsUntil(Func<ChatEvent, bool> wanted, long? lastEventId = null)
    {
        using var patience = new CancellationTokenSource(Eventually.Patience);
        var seen = new List<ChatEvent>();
        await foreach (var heard in Events(lastEventId, patience.Token))
        {
            seen.Add(heard);
            if (wanted(heard))
            {
                return seen;
            }
        }
        throw new InvalidOperationException("The stream ended.");
    }
}
