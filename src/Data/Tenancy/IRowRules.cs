using System.Text.Json;

namespace AgentPlatform.Data.Tenancy;

/// <summary>What the API holds values to that people give, for whoever brings rows in another way. The API has the implementation.</summary>
public interface IRowRules
{
    /// <summary>The columns of a table that people give, by name, and those texts that the product sets and the API shows.</summary>
    IReadOnlyDictionary<string, IColumnRule> Of(string table);
}

/// <summary>What the API holds the values of one column to.</summary>
public interface IColumnRule
{
    /// <summary>It is JSON of known members, so that an id in it names a row; false for JSON of people's own making, and for what isn't JSON.</summary>
    bool NamesRows { get; }

    /// <summary>Whether a value, as <c>to_jsonb</c> writes it and not null, could have been given.</summary>
    /// <param name="value">The value.</param>
    /// <param name="kept">What is kept of it: composed, without what nobody sees, cut to the length.</param>
    /// <returns>Null when it could; else what is wrong with it, as the end of a sentence that begins with the column.</returns>
    string? Check(JsonElement value, out JsonElement kept);
}
