using System.Globalization;
using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace AgentPlatform.Data.Migrations;

/// <summary>One SQL file. A numbered one runs once and never changes; a repeatable one runs again whenever it has changed.</summary>
/// <param name="Name">File name without folder and ending for a numbered one (<c>0001_roles_and_extensions</c>), path for a repeatable one (<c>orleans/main</c>).</param>
/// <param name="Number">Place in the order; null for a repeatable one.</param>
/// <param name="Sql">The text; line ends are those of Unix, so that a checkout on another system has the same checksum.</param>
public sealed partial record MigrationScript(string Name, int? Number, string Sql)
{
    /// <summary>SHA-256 of the text, lower-case hexadecimal.</summary>
    public string Checksum { get; } = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Sql)));

    /// <summary>A script from a path such as <c>sql/0001_name.sql</c> or <c>sql/orleans/main.sql</c>.</summary>
    /// <exception cref="MigrationException">A file directly in <c>sql/</c> whose name doesn't begin with four digits and an underscore.</exception>
    public static MigrationScript FromFile(string path, string sql)
    {
        var name = path["sql/".Length..^".sql".Length].Replace('\\', '/');
        var text = sql.Replace("\r\n", "\n", StringComparison.Ordinal);
        if (name.Contains('/', StringComparison.Ordinal))
        {
            return new MigrationScript(name, null, text);
        }

        var match = NumberedName().Match(name);
        return match.Success
            ? new MigrationScript(name, int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture), text)
            : throw new MigrationException(name, "its file name must begin with four digits and an underscore, such as 0042_add_tags.sql");
    }

    /// <summary>The scripts of <c>sql/</c> as they were when this assembly was built: the numbered ones in order, then the repeatable ones by name.</summary>
    public static IReadOnlyList<MigrationScript> Embedded() => EmbeddedScripts.Value;

    private static readonly Lazy<IReadOnlyList<MigrationScript>> EmbeddedScripts = new(() => Order(
        Assembly.GetExecutingAssembly().GetManifestResourceNames()
            .Where(name => name.StartsWith("sql/", StringComparison.Ordinal))
            .Select(name =>
            {
                using var reader = new StreamReader(Assembly.GetExecutingAssembly().GetManifestResourceStream(name)!);
                return FromFile(name, reader.ReadToEnd());
            })));

    /// <summary>Puts scripts into the order in which they run.</summary>
    /// <exception cref="MigrationException">Two scripts have the same number.</exception>
    public static IReadOnlyList<MigrationScript> Order(IEnumerable<MigrationScript> scripts)
    {
        var ordered = scripts.OrderBy(script => script.Number ?? int.MaxValue).ThenBy(script => script.Name, StringComparer.Ordinal).ToList();
        for (var i = 1; i < ordered.Count; i++)
        {
            if (ordered[i].Number is { } number && number == ordered[i - 1].Number)
            {
                throw new MigrationException(ordered[i].Name, $"its number is also that of {ordered[i - 1].Name}; give one of them the next free number");
            }
        }

        return ordered;
    }

    [GeneratedRegex("^([0-9]{4})_[a-z0-9_]+$")]
    private static partial Regex NumberedName();
}

/// <summary>A migration that can't be applied. The message names it and says what is wrong.</summary>
public sealed class MigrationException(string migration, string reason, Exception? inner = null)
    : Exception($"Migration {migration}: {reason}.", inner)
{
    /// <summary>The migration's name.</summary>
    public string Migration { get; } = migration;
}
