using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Shapes;

namespace AgentPlatform.Api.Resources;

/// <summary>
/// What people do to a row besides changing its fields: <c>POST /v1/{path}/{id}/{name}</c>. It is a change like any other, under the same lock, rules,
/// version and audit; <c>If-Match</c> is optional. It answers the row as it is afterwards.
/// </summary>
/// <param name="Name">Last part of the path, in kebab-case; with the resource's name it makes the operation's id.</param>
/// <param name="Summary">What it does, for people.</param>
/// <param name="Apply">Says what changes by <see cref="ResourceChange.Set"/>, from the body in <see cref="ResourceChange.Given"/>; may refuse.</param>
public sealed record ResourceAction(string Name, string Summary, Func<ResourceChange, Task<Problem?>> Apply)
{
    /// <summary>An action that always does the same.</summary>
    public ResourceAction(string name, string summary, Action<ResourceChange> apply)
        : this(name, summary, change =>
        {
            apply(change);
            return Task.FromResult<Problem?>(null);
        })
    {
    }

    public string? Description { get; init; }

    /// <summary>The lowest role that may do it; null for the one that may change the resource.</summary>
    public Role? Role { get; init; }

    /// <summary>What it takes.</summary>
    public Shape Body { get; init; } = new();

    /// <summary>How the audit log calls it: <c>won</c> for <c>deal.won</c>.</summary>
    public required string Past { get; init; }
}
