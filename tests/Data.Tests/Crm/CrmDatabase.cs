using AgentPlatform.Data.Connections;
using AgentPlatform.Data.Tenancy;
using AgentPlatform.Fakes.Postgres;
using Npgsql;

namespace AgentPlatform.Data.Tests.Crm;

/// <summary>A database for the tests of one class; each test makes an organization of its own.</summary>
public sealed class CrmDatabase : IAsyncLifetime
{
    public TestDatabase Database { get; private set; } = null!;

    public ApiDataSource Api { get; private set; } = null!;

    public EngineDataSource Engine { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        Database = await TestDatabase.CreateAsync();
        Api = new ApiDataSource(Database.DataOptions);
        Engine = new EngineDataSource(Database.DataOptions);
    }

    public async Task DisposeAsync()
    {
        await Api.DisposeAsync();
        await Engine.DisposeAsync();
        await Database.DisposeAsync();
    }

    /// <summary>A new organization, and a person of it whose changes these are.</summary>
    public async Task<CrmTenant> NewOrganization(string timeZone = "UTC")
    {
        var tenant = new CrmTenant(this, Guid.CreateVersion7(), Guid.CreateVersion7());
        await Database.ExecuteAsAdminAsync(
            $"""
            insert into organizations (id, name, slug, time_zone) values ('{tenant.Id}', 'Organization', 'o-{tenant.Id:N}', '{timeZone}');
            insert into users (id, email) values ('{tenant.UserId}', '{tenant.UserId:N}@example.com');
            insert into organization_members (organization_id, user_id, role) values ('{tenant.Id}', '{tenant.UserId}', 'owner');
            """);
        return tenant;
    }

    /// <summary>Runs a statement as the engine's role, which is bound to no organization.</summary>
    public async Task ExecuteAsEngine(string sql, params object?[] values)
    {
        await using var command = Engine.CreateCommand(sql);
        foreach (var value in values)
        {
            command.Parameters.Add(new() { Value = value ?? DBNull.Value });
        }
        await command.ExecuteNonQueryAsync();
    }
}

/// <summary>One organization's work, as the API's role does it: under row security, as one of its people.</summary>
public sealed class CrmTenant(CrmDatabase owner, Guid id, Guid userId)
{
    public Guid Id => id;

    public Guid UserId => userId;

    /// <summary>One statement in a transaction of its own; <c>$1</c> is always the organization.</summary>
    public async Task Execute(string sql, params object?[] values)
    {
        await using var session = await Open();
        await session.ExecuteAsync(sql, default, [id, .. values]);
        await session.CommitAsync();
    }

    /// <summary>The first value of a statement in a transaction of its own; <c>$1</c> is always the organization.</summary>
    public async Task<T?> Scalar<T>(string sql, params object?[] values)
    {
        await using var session = await Open();
        var value = await session.ScalarAsync<T>(sql, default, [id, .. values]);
        await session.CommitAsync();
        return value;
    }

    /// <summary>The first row of a statement as one text: <c>a|b|c</c>.</summary>
    public Task<string?> Row(string sql, params object?[] values) =>
        Scalar<string>($"with row as ({sql}) select array_to_string(array(select value from row, json_each_text(row_to_json(row)) limit 50), '|', '-') from row where $1::uuid is not null limit 1", values);

    /// <summary>A statement that a rule of the database refuses; returns what it says.</summary>
    public async Task<string> Refused(string rule, string sql, params object?[] values)
    {
        var failure = await Assert.ThrowsAsync<PostgresException>(() => Execute(sql, values));
        Assert.Equal((PostgresErrorCodes.CheckViolation, rule), (failure.SqlState, failure.ConstraintName));
        return failure.MessageText;
    }

    public Task<Guid> NewClient(string name = "Anna", string? phone = null) =>
        Scalar<Guid>("insert into clients (organization_id, first_name, phone) values ($1, $2, $3) returning id", name, phone);

    public Task<Guid> NewDeal(Guid client, string stage = "prospecting", decimal value = 100, string? won = null, string? lost = null) => Scalar<Guid>(
        "insert into deals (organization_id, client_id, name, stage, deal_value, won_reason, lost_reason) values ($1, $2, 'Deal', $3, $4, $5, $6) returning id", client, stage, value, Text(won), Text(lost));

    public async Task<Guid> NewTour(int? places)
    {
        var product = await Scalar<Guid>("insert into products (organization_id, name, type) values ($1, 'Tour', 'tour') returning id");
        return await Scalar<Guid>(
            "insert into tours (organization_id, product_id, start_date, end_date, max_participants) values ($1, $2, '2030-01-01', '2030-01-03', $3) returning id",
            product, new NpgsqlParameter { Value = (object?)places ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Integer });
    }

    public Task<TenantSession> Open() => TenantSession.OpenAsync(owner.Api, new Tenant(id, userId, "owner"));

    private static NpgsqlParameter Text(string? text) => new() { Value = (object?)text ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Text };
}
