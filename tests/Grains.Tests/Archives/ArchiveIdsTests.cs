using AgentPlatform.Grains.Archives;

namespace AgentPlatform.Grains.Tests.Archives;

public sealed class ArchiveIdsTests
{
    private static readonly DateTimeOffset Now = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void An_id_is_another_one_in_each_import_and_the_same_one_within_it()
    {
        var (first, second) = (new ArchiveIds(Now), new ArchiveIds(Now));
        var id = Guid.CreateVersion7();
        Assert.Equal(first.Of(id), first.Of(id));
        Assert.NotEqual(id, first.Of(id));
        Assert.NotEqual(first.Of(id), second.Of(id));
        Assert.NotEqual(first.Of(id), first.Of(Guid.CreateVersion7()));
        Assert.Equal((7, 2), (first.Of(id).Version, first.Of(id).Variant >> 2));
    }

    [Fact]
    public void Ids_keep_their_order_and_none_is_of_a_time_to_come()
    {
        var ids = new ArchiveIds(Now);
        var moments = Enumerable.Range(0, 100).Select(index => Now.AddMilliseconds(index - 100)).ToArray();
        var here = moments.Select(moment => ids.Of(Guid.CreateVersion7(moment)).ToString()).ToArray();
        Assert.Equal(here.Order(StringComparer.Ordinal), here);
        var latest = ids.Of(Guid.CreateVersion7(Now.AddMilliseconds(1))).ToString();
        foreach (var odd in new[] { Guid.CreateVersion7(Now.AddYears(100)), Guid.NewGuid(), Guid.Empty, Guid.AllBitsSet })
        {
            Assert.Equal(latest[..13], ids.Of(odd).ToString()[..13]);
        }
    }

    [Fact]
    public void Texts_follow_the_rows_of_the_archive_and_what_is_known_and_nothing_else()
    {
        var ids = new ArchiveIds(Now);
        var (row, member, here, other) = (Guid.CreateVersion7(), Guid.CreateVersion7(), Guid.CreateVersion7(), Guid.CreateVersion7());
        ids.Know(member, here);
        Assert.True(ids.TryAdd(row));
        Assert.False(ids.TryAdd(member));
        Assert.Equal($"a {ids.Of(row)} {here} {other}#{ids.Of(row)}", ids.Text($"a {row} {member} {other}#{row}"));
        Assert.Equal(here, ids.Of(member));
        Assert.Equal("short", ids.Text("short"));
    }
}
