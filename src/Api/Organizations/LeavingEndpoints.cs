using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Jobs;
using AgentPlatform.Api.Operations;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Shapes;
using AgentPlatform.Data.Connections;
using AgentPlatform.Data.Files;
using AgentPlatform.Data.Jobs;
using AgentPlatform.Data.Tenancy;
using AgentPlatform.Data.Texts;
using static AgentPlatform.Api.Shapes.Fields;

namespace AgentPlatform.Api.Organizations;

/// <summary>An organization leaves: all of it as an archive, into another installation, and gone from here.</summary>
internal static class LeavingEndpoints
{
    /// <summary>Days between the wish to delete an organization and its deletion (setting <c>ORGANIZATION_DELETION_DAYS</c>, default 30).</summary>
    public const int DefaultGraceDays = 30;

    /// <summary>How often it can be ordered a day: each order is told to all owners.</summary>
    public const int DeletionsOfDay = 5;

    /// <summary>Name of the work of <see cref="Delete"/>.</summary>
    public const string DeletionWork = "organization_deletion";

    public static void MapLeaving(IEndpointRouteBuilder routes)
    {
        routes.MapOperation("POST", "/v1/organization/export", Base("exportOrganization", "Export your organization") with
        {
            Description = "A zip: JSON lines for each table, the files, and a manifest with counts and SHA-256 checksums. Secrets (channels' credentials, keys of models, passwords) are left out. The job's result names the file, for owners.",
        }, static request => JobStart.Start(request, new NewJob(JobTypes.ReportGeneration, "organization_export", new { }) { MinimumRole = Role.Owner }));
        routes.MapOperation("POST", "/v1/organization/import", Base("importOrganization", "Import an organization's archive into yours") with
        {
            Description = "All of it or nothing. Every row gets a new id, and every mention follows. Members are recognised by their e-mail address, other people are invited, without an e-mail. Credentials, and what channels are connected by, have to be given again. The job's `result` tells how many `rows` and `files` came in, how many references were cut (`cutReferences`), and how many people are `invited`, or `notInvited` since too many invitations are open.",
            Body = new Shape(Reference("fileId", "files").Required()),
        }, Import);
        routes.MapOperation("POST", "/v1/organization/deletion", Base("deleteOrganization", "Delete your organization") with
        {
            Description = "Everything of it, after `ORGANIZATION_DELETION_DAYS`; until then `POST /v1/jobs/{id}/cancel` takes it back. `name` is the organization's name, as a confirmation.",
            Body = new Shape(Text("name", 200).Required()),
            Problems = [ProblemType.Conflict],
        }, Delete);
    }

    private static Operation Base(string id, string summary) => new()
    {
        Id = id,
        Tag = "organization",
        Role = Role.Owner,
        NeedsPerson = true,
        Summary = summary,
        TakesIdempotencyKey = true,
        SuccessStatus = StatusCodes.Status202Accepted,
        Answer = JobResource.Jobs.Shape,
        AnswerName = JobResource.Jobs.SchemaName,
        AnswersEntityTag = true,
    };

    private static async Task<IResult> Import(OperationRequest request)
    {
        var file = request.Body.Get<Guid>("fileId");
        return await request.Service<FileStore>().Find(request.Caller.Tenant, file, request.Cancelled) is null
            ? Problem.Invalid("/fileId", "/fileId names nothing in this organization.")
            : await JobStart.Start(request, new NewJob(JobTypes.FileProcessing, "organization_import", new { fileId = file }) { MinimumRole = Role.Owner });
    }

    private static async Task<IResult> Delete(OperationRequest request)
    {
        await using (var row = await TenantSession.ReadAsync(
            request.Service<ApiDataSource>(), request.Caller.Tenant,
            "SELECT o.name FROM organizations o WHERE o.id = $1",
            request.Cancelled, request.Caller.OrganizationId))
        {
            if (!await row.ReadAsync(request.Cancelled) || TypedText.Line(row.GetString(0)) != TypedText.Line(request.Body.Text("name")!))
            {
                return Problem.Invalid("/name", "/name must be the organization's name, exactly.");
            }
        }
        var days = request.Service<IConfiguration>().GetValue("ORGANIZATION_DELETION_DAYS", (double)DefaultGraceDays);
        return await JobStart.Start(request, new NewJob(JobTypes.BulkProcessing, DeletionWork, new { })
        {
            MinimumRole = Role.Owner,
            MostOfDay = DeletionsOfDay,
            DueAt = request.Service<TimeProvider>().GetUtcNow() + TimeSpan.FromDays(days),
        });
    }
}
