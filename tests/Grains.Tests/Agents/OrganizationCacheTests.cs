using AgentPlatform.Data.Changes;
using AgentPlatform.Grains.Agents;

namespace AgentPlatform.Grains.Tests.Agents;

public sealed class OrganizationCacheTests
{
    private readonly List<Guid> _loaded = [];

    [Theory]
    [InlineData(5, long.MaxValue)]
    [InlineData(1000, 50)]
    public async Task Those_that_were_not_asked_for_longest_make_room(int organizations, long bytes)
    {
        using var cache = new OrganizationCache<string>(new ConfigurationChanges(), [], organizations, Load, static value => value.Length, bytes);
        var ids = Enumerable.Range(0, 5).Select(_ => Guid.NewGuid()).ToArray();
        foreach (var id in ids)
        {
            await cache.Get(id, default);
        }
        await cache.Get(ids[0], default);
        Assert.Equal(ids, _loaded);

        await cache.Get(Guid.NewGuid(), default);
        await cache.Get(ids[0], default);
        Assert.Equal(6, _loaded.Count);
        await cache.Get(ids[1], default);
        Assert.Equal(7, _loaded.Count);
    }

    [Fact]
    public async Task One_that_is_larger_than_all_may_be_is_told_and_not_kept()
    {
        using var cache = new OrganizationCache<string>(new ConfigurationChanges(), [], 1000, Load, static value => value.Length, 5);
        var id = Guid.NewGuid();
        Assert.Equal(10, (await cache.Get(id, default)).Length);
        Assert.Equal(10, (await cache.Get(id, default)).Length);
        Assert.Equal([id, id], _loaded);
    }

    private Task<string> Load(Guid id)
    {
        _loaded.Add(id);
        return Task.FromResult(new string('x', 10));
    }
}
