using AgentPlatform.Api.Auth;

namespace AgentPlatform.Silo.Hosting;

/// <summary>What may stand on the silo's command line.</summary>
public static class CommandLine
{
    /// <summary>What <c>--help</c> prints.</summary>
    public const string Help = """
        AgentPlatform silo: runs conversations, agents and jobs, and serves the API unless API_IN_SILO=false.

          silo                          start, and go on until SIGTERM
          silo --migrate                bring the database's schema up to date, and end
          silo --roles                  make the database's roles, which no backup brings, and end
          silo --demo                   load the demo organization into an empty database, and end
          silo --super-admin EMAIL      let an account look after the whole installation
          silo --no-super-admin EMAIL   no longer
          silo --reset-password EMAIL   print a link that sets a new password
          silo --help                   this

        Settings are environment variables, such as DATABASE_URL; docs/operations.md lists them. A setting may also be given as --NAME=VALUE, but for secrets: others
        on the machine can read a command line.
        """;

    private static readonly string[] Switches = ["--roles", "--migrate", "--demo"];

    /// <summary>Whether the help is asked for.</summary>
    public static bool AsksForHelp(IReadOnlyList<string> arguments) => arguments.Any(argument => argument is "--help" or "-h" or "-?" or "help");

    /// <summary>The exit code of a wrong command line, or a wrong setting.</summary>
    public const int WrongUse = 2;

    /// <summary>What is wrong with the arguments; null where all mean something.</summary>
    public static string? Mistake(IReadOnlyList<string> arguments)
    {
        var rest = AccountCommands.AreNamedBy(arguments) ? arguments.Take(arguments.Count - 2) : arguments;
        return rest.FirstOrDefault(argument => !Switches.Contains(argument) && !(argument.StartsWith("--", StringComparison.Ordinal) && argument.IndexOf('=', StringComparison.Ordinal) > 2)) switch
        {
            null => null,
            var command when AccountCommands.Names.Contains(command) => $"{command} needs the e-mail address of an account behind it, as the last of the command line.",
            var unknown => $"{unknown} means nothing to the silo; --help tells what does.",
        };
    }
}
