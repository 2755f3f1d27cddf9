using System.Diagnostics.CodeAnalysis;
using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Operations;
using AgentPlatform.Api.Shapes;
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

    /// <summary>The row before; null at creation.</summary>
    public ResourceRow? Before { get; init; }

    /// <summary>The row after, once written; null at deletion.</summary>
    public ResourceRow? After { get; internal set; }

    /// <summary>Columns to write besides those of <see cref="Values"/>.</summary>
    public Dictionary<string, NpgsqlParameter> Columns { get; } = new(StringComparer.Ordinal);

    /// <summary>Names of secrets that changed, for the audit log.</summary>
    public List<string> ChangedSecrets { get; } = [];

    public Caller Caller => Request.Caller;

    [MemberNotNullWhen(false, nameof(Before))]
    public bool IsCreation => Before is null;

    public bool IsDeletion { get; init; }

    /// <summary>The value that the field has after the change: the given one, else the one before.</summary>
    public T? Resulting<T>(string field) => Values.Has(field) ? Values.Get<T>(field) : Before is null ? default : Before.Get<T>(field);
}
