using AgentPlatform.Data.Connections;
using AgentPlatform.Data.Tenancy;
using AgentPlatform.Fakes.Postgres;

namespace AgentPlatform.Data.Tests.People;

/// <summary>A database with two organizations and people of every role in the first; one database for a test class.</summary>
public sealed class PeopleDatabase : IAsyncLifetime
{
    public Guid Organization { get; } = Guid.CreateVersion7();

    public Guid Other { get; } = Guid.CreateVersion7();

    public TestDatabase Database { get; private set; } = null!;

    public ApiDataSource Api { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        Database = await TestDatabase.CreateAsync();
        Api = new ApiDataSource(Database.DataOptions);
        await Database.ExecuteAsAdminAsync($"insert into organizations (id, name, slug) values ('{Organization}', 'One', 'one'), ('{Other}', 'Two', 'two')");
    }

    public async Task DisposeAsync()
    {
        await Api.DisposeAsync();
        await Database.DisposeAsync();
    }

    /// <summary>A new person with a role in the first organization, or none.</summary>
    public async Task<Guid> Person(string? role = null, string status = "active")
    {
        var id = Guid.CreateVersion7();
        await Database.ExecuteAsAdminAsync($"insert into users (id, email, full_name) values ('{id}', '{id:N}@example.com', 'Person')");
        if (role is not null)
        {
            await Database.ExecuteAsAdminAsync($"insert into organization_members (organization_id, user_id, role, status) values ('{Organization}', '{id}', '{role}', '{status}')");
        }
        return id;
    }

    /// <summary>A value as a person's transaction in an organization sees it.</summary>
    public async Task<T?> As<T>(Guid? person, Guid organization, string sql, params object?[] values)
    {
        await using var session = await TenantSession.OpenAsync(Api, new Tenant(organization, person));
        var value = await session.ScalarAsync<T>(sql, default, values);
        await session.CommitAsync();
        return value;
    }
}
