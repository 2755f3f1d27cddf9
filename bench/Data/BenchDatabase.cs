using AgentPlatform.Data.Channels;
using AgentPlatform.Data.Connections;
using AgentPlatform.Data.Secrets;
using AgentPlatform.Fakes.Postgres;
using Npgsql;

namespace AgentPlatform.Bench.Data;

/// <summary>A migrated database with one organization, one WhatsApp channel and as many contacts and messages as a part of the bench wants.</summary>
public sealed class BenchDatabase : IAsyncDisposable
{
    /// <summary>Secret of the WhatsApp app, which signs webhooks.</summary>
    public const string AppSecret = "bench-app-secret";

    /// <summary>Token for the platform's API.</summary>
    public const string AccessToken = "bench-access-token";

    /// <summary>The key under which this run seals secrets: setting <c>SECRETS_KEYS</c>.</summary>
    public static readonly string SecretsKey = SecretBox.NewKey("bench");

    private readonly TestDatabase _database;

    private BenchDatabase(TestDatabase database) => _database = database;

    /// <summary>How each role reaches the database.</summary>
    public DataOptions DataOptions => _database.DataOptions;

    /// <summary>The value of <c>DATABASE_URL</c> for a process that uses it.</summary>
    public string Url => _database.Url;

    /// <summary>The organization that everything belongs to.</summary>
    public Guid OrganizationId { get; } = Guid.CreateVersion7();

    /// <summary>The WhatsApp channel.</summary>
    public Guid ChannelId { get; } = Guid.CreateVersion7();

    /// <summary>Process id of the server, or 0 when it runs elsewhere.</summary>
    public int ServerProcessId { get; private set; }

    /// <summary>Makes it, with an organization and a channel.</summary>
    public static async Task<BenchDatabase> CreateAsync()
    {
        var made = new BenchDatabase(await TestDatabase.CreateAsync());
        var credentials = SecretBox.Parse(SecretsKey).SealCredentials(made.OrganizationId, new Dictionary<string, string>
        {
            [CredentialNames.AppSecret] = AppSecret,
            [CredentialNames.VerifyToken] = "bench-verify-token",
            [CredentialNames.AccessToken] = AccessToken,
        });
        await made.ExecuteAsync($"""
            INSERT INTO organizations (id, name, slug) VALUES ('{made.OrganizationId}', 'Bench', 'bench');
            INSERT INTO channels (id, organization_id, name, platform, platform_channel_id, credentials)
            VALUES ('{made.ChannelId}', '{made.OrganizationId}', 'Line', 'whatsapp', '{Identities.PhoneNumberId}', '{credentials}');
            """);
        var directory = await made.ScalarAsync<string>("SHOW data_directory");
        var lockFile = Path.Combine(directory!, "postmaster.pid");
        made.ServerProcessId = File.Exists(lockFile) && int.TryParse(File.ReadLines(lockFile).First(), out var id) ? id : 0;
        return made;
    }

    /// <summary>
    /// Stores contacts (from that index on), their conversations and so many messages for each, all at once by the server itself. Ids and platform ids look like real ones: time-ordered the
    /// first, unordered the second.
    /// </summary>
    public async Task FillAsync(int firstContact, int contacts, int messagesEach)
    {
        // Replica mode leaves out triggers and foreign keys: what they would check or add is written here.
        await ExecuteAsync($"""
            SET session_replication_role = replica;
            CREATE FUNCTION pg_temp.id(kind text, n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
                SELECT (lpad(to_hex(1750000000000 + n), 12, '0') || '7' || substr(md5(kind || n), 1, 3) || '8' || substr(md5(kind || n), 4, 15))::uuid $$;
            INSERT INTO clients (id, organization_id, contact_id, source, platform_user_id)
            SELECT pg_temp.id('client', n), '{OrganizationId}', pg_temp.id('contact', n), 'whatsapp', {Identities.SqlContact("n")} FROM generate_series({firstContact}, {firstContact + contacts - 1}) n;
            INSERT INTO contacts (id, organization_id, channel_id, client_id, platform, platform_user_id, first_identity, name, phone)
            SELECT pg_temp.id('contact', n), '{OrganizationId}', '{ChannelId}', pg_temp.id('client', n), 'whatsapp', {Identities.SqlContact("n")}, {Identities.SqlContact("n")}, 'Contact ' || n, '+' || {Identities.SqlContact("n")}
            FROM generate_series({firstContact}, {firstContact + contacts - 1}) n;
            INSERT INTO contact_identities (channel_id, identity, contact_id, organization_id)
            SELECT '{ChannelId}', {Identities.SqlContact("n")}, pg_temp.id('contact', n), '{OrganizationId}' FROM generate_series({firstContact}, {firstContact + contacts - 1}) n;
            INSERT INTO conversations (id, organization_id, channel_id, contact_id, client_id, version, last_sequence, last_message_at, last_inbound_at)
            SELECT pg_temp.id('conversation', n), '{OrganizationId}', '{ChannelId}', pg_temp.id('contact', n), pg_temp.id('client', n), {messagesEach}, {messagesEach}, now(), now()
            FROM generate_series({firstContact}, {firstContact + contacts - 1}) n;
            INSERT INTO messages (id, organization_id, conversation_id, channel_id, contact_id, sequence, direction, sender_type, status, text_content, platform_message_id, platform_timestamp)
            SELECT pg_temp.id('message', s * 1000000::bigint + n), '{OrganizationId}', pg_temp.id('conversation', n), '{ChannelId}', pg_temp.id('contact', n), s, 'inbound', 'user', 'received',
                   'Good day, is there still a place on the tour of ' || s || ' May for ' || n || ' people?', 'wamid.' || encode(sha256((n || '.' || s)::bytea), 'base64'), now()
            FROM generate_series(1, {messagesEach}) s, generate_series({firstContact}, {firstContact + contacts - 1}) n;
            SET session_replication_role = origin;
            """);
        await ExecuteAsync("VACUUM (ANALYZE) messages, conversations, contacts, contact_identities, clients");
        await ExecuteAsync("CHECKPOINT");
    }

    /// <summary>Gives the channel an agent that asks an OpenAI-compatible model, and the address of an emulated platform.</summary>
    public Task AddAgentAsync(string platformUrl, string modelUrl)
    {
        var (agent, model) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        var key = SecretBox.Parse(SecretsKey).SealApiKey(OrganizationId, "bench-model-key");
        return ExecuteAsync($"""
            INSERT INTO llm_models (id, organization_id, provider, name, model_id) VALUES ('{model}', '{OrganizationId}', 'openai_compatible', 'Bench', 'bench-1');
            INSERT INTO llm_credentials (organization_id, provider, base_url, api_key) VALUES ('{OrganizationId}', 'openai_compatible', '{modelUrl}', '{key}');
            INSERT INTO agents (id, organization_id, name, status, llm_model_id, system_prompt)
            VALUES ('{agent}', '{OrganizationId}', 'Guide', 'active', '{model}', 'You answer questions about tours, in two sentences.');
            UPDATE channels SET agent_id = '{agent}', settings = jsonb_build_object('apiBaseUrl', '{platformUrl}', 'sendRatePerSecond', 20000) WHERE id = '{ChannelId}';
            """);
    }

    /// <summary>Runs statements as superuser.</summary>
    public async Task ExecuteAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(DataOptions.AdminConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>First column of the first row, read as superuser.</summary>
    public Task<T?> ScalarAsync<T>(string sql) => _database.ScalarAsAdminAsync<T>(sql);

    /// <inheritdoc />
    public ValueTask DisposeAsync() => _database.DisposeAsync();
}
