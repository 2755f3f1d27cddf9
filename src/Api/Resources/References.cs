using System.Collections.Immutable;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Shapes;

namespace AgentPlatform.Api.Resources;

/// <summary>
/// A foreign key doesn't look at the organization; this does. Every given id must name a row that the caller's organization can see; one of another
/// organization and one that doesn't exist get the same answer.
/// </summary>
internal static class References
{
    public static async Task<Problem?> Check(ResourceChange change)
    {
        var given = change.Values.All.Where(entry => entry.Field.References is not null && entry.Value is not null).ToArray();
        var errors = ImmutableArray.CreateBuilder<FieldError>();
        foreach (var (field, value) in given)
        {
            if (!await Exists(change, field, (Guid)value!))
            {
                errors.Add(new FieldError($"/{field.Name}", $"/{field.Name} names nothing in this organization."));
            }
        }
        return errors.Count == 0 ? null : Problem.Invalid(errors.DrainToImmutable());
    }

    private static async Task<bool> Exists(ResourceChange change, Field field, Guid id)
    {
        var (table, key) = field.References switch
        {
            "users" => ("organization_members", "user_id"),
            "web_widgets" => ("web_widgets", "channel_id"),
            var other => (other!, "id"),
        };
        return await change.Session.ScalarAsync<bool>($"SELECT true FROM {table} WHERE {key} = $1", change.Request.Cancelled, id);
    }
}
