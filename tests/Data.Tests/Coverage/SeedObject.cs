using System.Security.Cryptography;
using System.Text;
using AgentPlatform.Fakes;

namespace AgentPlatform.Data.Tests.Coverage;

/// <summary>One line of <c>docs/seed-coverage.csv</c>: an object of one of the five systems, and where it lives here.</summary>
/// <param name="Note">For an object that its name alone doesn't tell from others, first what the system says of it; then a remark, after a dash.</param>
internal sealed record SeedObject(string Seed, string Kind, string Object, string Name, string Where, string Note)
{
    /// <summary>Between what a system says of an object and a remark of ours.</summary>
    private const string Dash = " — ";

    private const string Heading = "seed,kind,object,name,where,note";

    /// <summary>Its kind of target: <c>column</c>.</summary>
    public string TargetKind => Where.Split(' ')[0];

    /// <summary>The target: <c>deals.stage</c>.</summary>
    public string Target => Where[(TargetKind.Length + 1)..];

    public override string ToString() => $"{Seed},{Kind},{Object},{Name} → {Where}";

    /// <summary>What the five systems say, without what is ours.</summary>
    public string Identity(bool isNamed) => $"{Seed}|{Kind}|{Object}|{Name}|{(isNamed ? "" : $" {Note}".Split(Dash)[0].TrimStart())}";

    public static SeedObject[] ReadAll()
    {
        var lines = File.ReadAllLines(Path.Combine(RepositoryRoot.Path, "docs", "seed-coverage.csv"));
        Assert.Equal(Heading, lines[0]);
        return [.. lines.Skip(1).Select(Parse)];
    }

    /// <summary>A digest of the list of objects, in its order.</summary>
    public static string Digest(IReadOnlyCollection<SeedObject> all)
    {
        var named = all.GroupBy(row => (row.Seed, row.Kind, row.Object, row.Name)).ToDictionary(same => same.Key, same => same.Key.Name.Length > 0 && same.Count() == 1);
        var list = string.Join('\n', all.Select(row => row.Identity(named[(row.Seed, row.Kind, row.Object, row.Name)])));
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(list)));
    }

    /// <summary>Six fields; one with a comma or a quote stands in quotes, in which a quote is written twice.</summary>
    private static SeedObject Parse(string line)
    {
        var fields = new List<string>();
        var field = new StringBuilder();
        var isQuoted = false;
        for (var index = 0; index < line.Length; index++)
        {
            if (line[index] == '"' && isQuoted && index + 1 < line.Length && line[index + 1] == '"')
            {
                field.Append(line[index++]);
            }
            else if (line[index] == '"')
            {
                isQuoted = !isQuoted;
            }
            else if (line[index] == ',' && !isQuoted)
            {
                fields.Add(field.ToString());
                field.Clear();
            }
            else
            {
                field.Append(line[index]);
            }
        }
        fields.Add(field.ToString());
        Assert.True(fields.Count == 6 && !isQuoted, $"Not six fields: {line}");
        return new SeedObject(fields[0], fields[1], fields[2], fields[3], fields[4], fields[5]);
    }
}
