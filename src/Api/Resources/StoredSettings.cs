using System.Text.Json.Nodes;
using Npgsql;
using NpgsqlTypes;

namespace AgentPlatform.Api.Resources;

/// <summary>Settings kept as one JSON object, of which a change names a part: what isn't named stays, and null removes.</summary>
internal static class StoredSettings
{
    public static void Merge(ResourceChange change, string field)
    {
        if (change.Values.Object(field) is not { } given)
        {
            return;
        }
        var settings = change.Before?.Get<string>(field) is { } before ? JsonNode.Parse(before)!.AsObject() : [];
        foreach (var (name, value) in given.ToJson())
        {
            settings.Remove(name);
            if (value is not null)
            {
                settings[name] = value.DeepClone();
            }
        }
        var column = change.Resource.Shape.Find(field)!.Column;
        change.Values.Remove(field);
        change.Columns[column] = new NpgsqlParameter { Value = settings.ToJsonString(), NpgsqlDbType = NpgsqlDbType.Jsonb };
    }
}
