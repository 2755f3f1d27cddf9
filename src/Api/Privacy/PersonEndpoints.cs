using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Jobs;
using AgentPlatform.Api.Operations;
using AgentPlatform.Api.Problems;
using AgentPlatform.Data.Jobs;

namespace AgentPlatform.Api.Privacy;

/// <summary>A person's data: told, and erased.</summary>
internal static class PersonEndpoints
{
    public static void MapPersons(IEndpointRouteBuilder routes)
    {
        foreach (var (path, table, one) in new[] { ("clients", "clients", "client"), ("contacts", "contacts", "contact") })
        {
            routes.MapOperation("POST", $"/v1/{path}/{{id}}/data-export", Base($"export{Capital(one)}Data", path, $"Export all data of a {one}") with
            {
                Description = "Every row that belongs to the person, from all tables, as JSON lines. The job's result names the file, for admins.",
            }, request => Start(request, table, one, JobTypes.ReportGeneration, "personal_data_export"));
            routes.MapOperation("POST", $"/v1/{path}/{{id}}/erasure", Base($"erase{Capital(one)}", path, $"Erase a {one}") with
            {
                Description = "All personal data goes: names and numbers, what was written, what agents saw and remember, what the audit log says of it. Rows, states and times stay, so that counts stay true. It can't be undone.",
            }, request => Start(request, table, one, JobTypes.BulkProcessing, "erasure"));
        }
    }

    private static Operation Base(string id, string tag, string summary) => new()
    {
        Id = id,
        Tag = tag,
        Role = Role.Admin,
        Summary = summary,
        TakesIdempotencyKey = true,
        SuccessStatus = StatusCodes.Status202Accepted,
        Answer = JobResource.Jobs.Shape,
        AnswerName = JobResource.Jobs.SchemaName,
        AnswersEntityTag = true,
    };

    private static async Task<IResult> Start(OperationRequest request, string table, string one, string type, string work) => await request.PathExists(table)
        ? await JobStart.Start(request, new NewJob(type, work, one == "client" ? new { clientId = request.PathId() } : new { contactId = request.PathId() }) { MinimumRole = Role.Admin })
        : Problem.NotFound();

    private static string Capital(string text) => char.ToUpperInvariant(text[0]) + text[1..];
}
