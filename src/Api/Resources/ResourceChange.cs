using System.Diagnostics.CodeAnalysis;
using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Operations;
using AgentPlatform.Api.Shapes;
using AgentPlatform.Data.Secrets;
using AgentPlatform.Data.Tenancy;
using Npgsql;

namespace AgentPlatform.Api.Resources;

/// <summary>A creation, change or deletion under way, as a resource's own rules see it.</summary>
public sealed class ResourceChange
{
    public required Resource Resource { get; init; }

    public required OperationRequest Request { get; init; }

    /// <summary>The transaction; its first statement has run, so that it is bound to the organization.</summary>
    public required TenantSession Session { get; init; }

    public required Guid Id { get; init; }

    /// <summary>What the caller gave; rules may set, replace and remove members.</summary>
    public required ShapeValues Values { get; init; }

    /// <summary>The action that makes the change, where one does.</summary>
    public ResourceAction? Action { get; init; }

    /// <summary>The request's body: what the caller gave, before rules.</summary>
    public ShapeValues Given => Request.Body;

    /// <summary>The row before; null at creation.</summary>
    public ResourceRow? Before { get; init; }

    /// <summary>The row after, once written; null at deletion.</summary>
    public ResourceRow? After { get; internal set; }

    /// <summary>Columns to write besides those of <see cref="Values"/>.</summary>
    public Dictionary<string, NpgsqlParameter> Columns { get; } = new(StringComparer.Ordinal);

    /// <summary>Names of secrets that changed, for the audit log.</summary>
    public List<string> ChangedSecrets { get; } = [];

    /// <summary>Values of <see cref="Resource.RevealedOnce"/>, for the answer alone.</summary>
    public Dictionary<string, string> Revealed { get; } = new(StringComparer.Ordinal);

    public Caller Caller => Request.Caller;

    [MemberNotNullWhen(false, nameof(Before))]
    public bool IsCreation => Before is null;

    public bool IsDeletion { get; init; }

    /// <summary>Gives a field of the resource a value.</summary>
    public void Set(string field, object? value) => Values.Set(Resource.Shape.Find(field)!, value);

    /// <summary>Gives the fields of the same names what the body says of them.</summary>
    public void Take(params ReadOnlySpan<string> fields)
    {
        foreach (var field in fields)
        {
            if (Given.Has(field))
            {
                Set(field, Given.Get<object>(field));
            }
        }
    }

    /// <summary>Seals the secret that was given for a field, so that only its sealed form is written.</summary>
    public void Seal(string field, string purpose)
    {
        var sealedText = Values.Text(field) is { } secret ? Request.Service<SecretBox>().SealText(Caller.OrganizationId, purpose, secret) : null;
        Values.Remove(field);
        Columns[Resource.Shape.Find(field)!.Column] = new NpgsqlParameter { Value = (object?)sealedText ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Text };
        ChangedSecrets.Add(field);
    }

    /// <summary>Says why, for the histories that the database writes.</summary>
    public Task Because(string? reason) => reason is null
        ? Task.CompletedTask
        : Session.ExecuteAsync("SELECT set_config('app.change_reason', $1, true)", Request.Cancelled, reason);

    /// <summary>The value that the field has after the change: the given one, else the one before.</summary>
    public T? Resulting<T>(string field) => Values.Has(field) ? Values.Get<T>(field) : Before is null ? default : Before.Get<T>(field);
}
