using System.Buffers;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace AgentPlatform.Bench.Baseline;

/// <summary>
/// What one would write by hand to take the same webhooks with a third of the work: no signature, no contacts, no versions, no turns, no sums for lists; one
/// statement a message that drops duplicates and counts. Tuned as well as a service of one file can be. The product is measured against it.
/// </summary>
public static class HandWrittenService
{
    /// <summary>Its tables.</summary>
    public const string Schema = """
        CREATE TABLE baseline_conversations (contact text PRIMARY KEY, last_sequence bigint NOT NULL DEFAULT 0) WITH (fillfactor = 70);
        CREATE TABLE baseline_messages (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, contact text NOT NULL, platform_message_id text NOT NULL UNIQUE, body text, received_at timestamptz NOT NULL DEFAULT now());
        """;

    private const string Store = """
        WITH stored AS (
            INSERT INTO baseline_messages (contact, platform_message_id, body) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING contact
        )
        INSERT INTO baseline_conversations AS c (contact, last_sequence) SELECT contact, 1 FROM stored
        ON CONFLICT (contact) DO UPDATE SET last_sequence = c.last_sequence + 1
        """;

    /// <summary>Serves until the process ends.</summary>
    public static async Task RunAsync(string connectionString, int port)
    {
        var connection = new NpgsqlConnectionStringBuilder(connectionString) { Pooling = true, MaxPoolSize = 16, MaxAutoPrepare = 10, AutoPrepareMinUsages = 2, NoResetOnClose = true };
        var source = new NpgsqlSlimDataSourceBuilder(connection.ConnectionString);
        await using var database = source.Build();
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.ListenLocalhost(port);
        });
        builder.Services.AddRoutingCore();
        builder.Logging.ClearProviders();
        await using var app = builder.Build();
        app.UseRouting();
        app.MapGet("/", static () => Task.CompletedTask);
        app.MapPost("/webhooks/whatsapp", context => Receive(context, database));
        await app.RunAsync();
    }

    private static async Task Receive(HttpContext context, NpgsqlDataSource database)
    {
        var reader = context.Request.BodyReader;
        var read = await reader.ReadAtLeastAsync((int)context.Request.ContentLength!.Value);
        var (contact, id, text) = Parse(read.Buffer);
        reader.AdvanceTo(read.Buffer.End);
        await using var command = database.CreateCommand(Store);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = contact });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = id });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = text });
        await command.ExecuteNonQueryAsync();
        context.Response.ContentLength = 0;
    }

    private static (string Contact, string Id, string Text) Parse(ReadOnlySequence<byte> body)
    {
        string contact = "", id = "", text = "";
        var json = new Utf8JsonReader(body);
        var inMessages = false;
        while (json.Read())
        {
            if (json.TokenType != JsonTokenType.PropertyName)
            {
                continue;
            }
            if (json.ValueTextEquals("messages"u8))
            {
                inMessages = true;
            }
            else if (inMessages && json.ValueTextEquals("from"u8))
            {
                json.Read();
                contact = json.GetString()!;
            }
            else if (inMessages && json.ValueTextEquals("id"u8))
            {
                json.Read();
                id = json.GetString()!;
            }
            else if (inMessages && json.ValueTextEquals("body"u8))
            {
                json.Read();
                text = json.GetString()!;
            }
        }
        return (contact, id, text);
    }
}
