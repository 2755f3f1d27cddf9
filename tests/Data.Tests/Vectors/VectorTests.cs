using AgentPlatform.Data.Connections;
using AgentPlatform.Fakes.Postgres;
using Npgsql;
using Pgvector;

namespace AgentPlatform.Data.Tests.Vectors;

public sealed class VectorTests : IAsyncLifetime
{
    private TestDatabase _database = null!;
    private EngineDataSource _engine = null!;

    public async Task InitializeAsync()
    {
        _database = await TestDatabase.CreateAsync();
        _engine = new EngineDataSource(_database.DataOptions);
    }

    public async Task DisposeAsync()
    {
        await _engine.DisposeAsync();
        await _database.DisposeAsync();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(1536)]
    [InlineData(16000)]
    public async Task A_vector_comes_back_as_it_went(int dimensions)
    {
        var vector = Random(dimensions);
        await using var command = _engine.CreateCommand("select $1, $1::text");
        command.Parameters.Add(new NpgsqlParameter { Value = vector });
        await using var reader = await command.ExecuteReaderAsync();

        Assert.True(await reader.ReadAsync());
        Assert.Equal(vector.ToArray(), reader.GetFieldValue<Vector>(0).ToArray());
        Assert.IsType<Vector>(reader.GetValue(0));
        Assert.Equal(vector.ToArray(), new Vector(reader.GetString(1)).ToArray());
    }

    [Fact]
    public async Task An_array_of_vectors_travels_as_one_parameter()
    {
        var vectors = Enumerable.Range(0, 100).Select(_ => Random(1536)).ToArray();
        await using var command = _engine.CreateCommand("select array_agg(v) from unnest($1) v");
        command.Parameters.Add(new NpgsqlParameter { Value = vectors });

        var returned = Assert.IsType<Vector[]>(await command.ExecuteScalarAsync());

        Assert.Equal(vectors.Select(v => v.ToArray()), returned.Select(v => v.ToArray()));
    }

    [Fact]
    public async Task Nearest_neighbours_are_found_by_a_typed_parameter()
    {
        await using var command = _engine.CreateCommand(
            "select v::text from unnest(array['[1,0,0]', '[0,1,0]', '[0,0,1]']::vector[]) v order by v <=> $1 limit 1");
        command.Parameters.Add(new NpgsqlParameter { Value = new Vector(new float[] { 0.1f, 0.9f, 0.1f }) });

        Assert.Equal("[0,1,0]", await command.ExecuteScalarAsync());
    }

    private static Vector Random(int dimensions)
    {
        var random = new Random(dimensions);
        return new Vector(Enumerable.Range(0, dimensions).Select(_ => random.NextSingle() - 0.5f).ToArray());
    }
}
