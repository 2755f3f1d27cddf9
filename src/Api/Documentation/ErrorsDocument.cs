using System.Globalization;
using System.Text;
using AgentPlatform.Api.Problems;

namespace AgentPlatform.Api.Documentation;

/// <summary>docs/errors.md: every problem type, from the code.</summary>
internal static class ErrorsDocument
{
    public static string Write()
    {
        var text = new StringBuilder();
        text.Append(
            """
            # Failures

            Every failure of the API is an RFC 9457 problem (`application/problem+json`) with `type`, `title`, `status`, and where there is more to say `detail`,
            `errors` (each with `field` and `detail`), `currentVersion` and `traceId`. Rely on `type`: it never changes its meaning. Texts may change.

            Try again only after 429 and 503, when `Retry-After` says; nothing was done. After a connection that broke off, repeat a creating request with the same
            `Idempotency-Key`: it is done once, whatever happened to the first answer.

            This list is produced from the code; a test holds it. After a change run the tests once with `UPDATE_DOCS=1`.


            """);
        text.Append("| type | status | title | when, and what to do |\n|---|---|---|---|\n");
        foreach (var type in ProblemType.All)
        {
            text.Append(CultureInfo.InvariantCulture, $"| `{type.Uri}` | {type.Status} | {type.Title} | {type.Meaning} |\n");
        }
        return text.ToString();
    }
}
