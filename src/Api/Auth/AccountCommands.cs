using System.Collections.Immutable;
using AgentPlatform.Data.Connections;
using AgentPlatform.Data.Texts;

namespace AgentPlatform.Api.Auth;

/// <summary>What an operator does about accounts on the server's command line, where e-mail or a super admin isn't there yet.</summary>
public sealed class AccountCommands
{
    private readonly ApiDataSource _api;
    private readonly EngineDataSource _engine;
    private readonly AccountLinks _links;
    private readonly AccountOptions _options;
    private readonly TimeProvider _clock;

    internal AccountCommands(ApiDataSource api, EngineDataSource engine, AccountLinks links, AccountOptions options, TimeProvider clock)
    {
        _api = api;
        _engine = engine;
        _links = links;
        _options = options;
        _clock = clock;
    }

    /// <summary>The commands, each of which has an address behind it.</summary>
    public static readonly ImmutableArray<string> Names = ["--reset-password", "--super-admin", "--no-super-admin"];

    /// <summary>True when the arguments name one of the commands.</summary>
    public static bool AreNamedBy(IReadOnlyList<string> arguments) => arguments is [.., var name, var address] && Names.Contains(name) && !address.StartsWith("--", StringComparison.Ordinal);

    /// <summary>Runs the command that the arguments name, if they name one; returns what to print, or null where there is none.</summary>
    public async Task<string?> Run(IReadOnlyList<string> arguments, CancellationToken cancellationToken) => arguments switch
    {
        [.., "--reset-password", var email] => await ResetLink(EmailAddress.Comparable(email), cancellationToken) ?? $"Nobody has the address {email}.",
        [.., "--super-admin", var email] => await SetSuperAdmin(EmailAddress.Comparable(email), true, cancellationToken),
        [.., "--no-super-admin", var email] => await SetSuperAdmin(EmailAddress.Comparable(email), false, cancellationToken),
        _ => null,
    };

    private async Task<string?> ResetLink(string email, CancellationToken cancellationToken)
    {
        var reset = Data.Uuid.New(_clock);
        var token = _links.Resets.Make(reset);
        await using var command = _api.CreateCommand("SELECT open_password_reset($1, $2, $3, $4)");
        command.Parameters.Add(new() { Value = reset });
        command.Parameters.Add(new() { Value = email });
        command.Parameters.Add(new() { Value = LinkTokens.Hash(token) });
        command.Parameters.Add(new() { Value = _clock.GetUtcNow() + _options.ResetLifetime });
        return await command.ExecuteScalarAsync(cancellationToken) is string ? _links.Reset(token) : null;
    }

    private async Task<string> SetSuperAdmin(string email, bool isSuperAdmin, CancellationToken cancellationToken)
    {
        await using var command = _engine.CreateCommand("UPDATE users SET is_super_admin = $2 WHERE email = $1");
        command.Parameters.Add(new() { Value = email });
        command.Parameters.Add(new() { Value = isSuperAdmin });
        return await command.ExecuteNonQueryAsync(cancellationToken) == 0 ? $"Nobody has the address {email}."
            : isSuperAdmin ? $"{email} looks after the whole installation from now on." : $"{email} no longer looks after the whole installation.";
    }
}
