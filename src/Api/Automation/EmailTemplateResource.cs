using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Resources;
using static AgentPlatform.Api.Shapes.Fields;

namespace AgentPlatform.Api.Automation;

/// <summary>E-mails that rules, sequences and workflows send.</summary>
internal static class EmailTemplateResource
{
    public static readonly Resource EmailTemplates = new()
    {
        Path = "email-templates",
        Singular = "emailTemplate",
        Plural = "emailTemplates",
        Table = "email_templates",
        Description = "E-mails that rules, sequences and workflows send. Subject and body may hold placeholders of known fields, such as `{{client.firstName}}`; others are refused.",
        Import = new(),
        Create = Role.Manager,
        Update = Role.Manager,
        Delete = Role.Manager,
        Fields =
        [
            Name("name").Required().Sorted().Searched(),
            Text("description", 4000).Nullable(),
            Language("language").Nullable().Filtered().About("Templates of one name in several languages: the client's is taken. Null for any."),
            Name("subject", 500).Required().Searched().About("One line."),
            Text("bodyText", 100_000).Nullable().Detail(),
            Text("bodyHtml", 500_000).Nullable().Detail(),
            Flag("isActive").WithDefault(true).Filtered(),
        ],
        Example = new()
        {
            ["name"] = "Welcome",
            ["subject"] = "Welcome, {{client.firstName}}",
            ["bodyText"] = "Good to have you with us, {{client.firstName}}.",
        },
        Uniques = [new("email_template_is_named_once", "name", "There is a template with this name in this language.")],
        Checks = [new("email_template_has_a_body", "bodyText", "/bodyText or /bodyHtml must be given.")],
        BeforeWrite = change => Task.FromResult(change.IsDeletion ? null : Check(change)),
    };

    private static Problem? Check(ResourceChange change)
    {
        if (change.Values.Text("subject")?.AsSpan().IndexOfAny('\r', '\n') >= 0)
        {
            return Problem.Invalid("/subject", "/subject must be one line.");
        }
        foreach (var field in new[] { "subject", "bodyText", "bodyHtml" })
        {
            if (change.Values.Text(field) is { } text && Placeholders.FirstUnknown(text) is { } unknown)
            {
                return Problem.Invalid($"/{field}", $"/{field} has a placeholder {unknown} that is no known field.");
            }
        }
        return null;
    }
}
