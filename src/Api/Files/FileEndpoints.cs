using System.Security.Cryptography;
using AgentPlatform.Api.ActivityLogs;
using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Operations;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Resources;
using AgentPlatform.Data.Connections;
using AgentPlatform.Data.Files;
using AgentPlatform.Data.Tenancy;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;

namespace AgentPlatform.Api.Files;

/// <summary>Content of files, up and down, streamed.</summary>
internal static class FileEndpoints
{
    private static readonly Operation Upload = new()
    {
        Id = "uploadFile",
        Tag = "files",
        Role = Role.Member,
        Summary = "Upload a file",
        Description = "The body is the content itself, at most `FILE_MAX_BYTES`, with its own `Content-Type`. Give the file's id to `POST /v1/jobs/imports`.",
        Query = [new("name", FileResource.NameType, "Name of the file.")],
        TakesContent = true,
        SuccessStatus = StatusCodes.Status201Created,
        Answer = FileResource.Files.Shape,
        AnswerName = FileResource.Files.SchemaName,
        AnswersEntityTag = true,
        Problems = [ProblemType.Conflict, ProblemType.BodyTooLarge, ProblemType.MalformedBody],
    };

    private static readonly Operation Download = new()
    {
        Id = "downloadFile",
        Tag = "files",
        Role = Role.Member,
        Summary = "Download a file",
        Description = "Needs the role that the file names as well; 404 once it has expired.",
        AnswersContent = true,
    };

    public static void MapFiles(IEndpointRouteBuilder routes)
    {
        routes.MapOperation("POST", "/v1/files", Upload, Store);
        routes.MapOperation("GET", "/v1/files/{id}/content", Download, Send);
    }

    private static async Task<IResult> Store(OperationRequest request)
    {
        var options = request.Service<FileLimits>();
        if (request.Http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
        {
            limit.MaxRequestBodySize = options.MaxBytes;
        }
        if (request.Http.Request.ContentLength > options.MaxBytes)
        {
            return TooLarge(options);
        }
        if (ContentType(request.Http.Request.ContentType) is not { } contentType)
        {
            return Problem.Invalid("Content-Type", "Content-Type must be a media type of at most 255 characters, such as text/csv; charset=utf-8.");
        }
        var name = request.Parameter<string>("name") ?? "upload";
        var store = request.Service<FileStore>();
        var made = await request.InTransaction<Guid?>(async session =>
        {
            if (await session.ScalarAsync<long>("SELECT coalesce(sum(size), 0)::bigint FROM files WHERE organization_id = $1", request.Cancelled, request.Caller.OrganizationId) >= options.PerOrganizationBytes)
            {
                return null;
            }
            var file = await store.Create(session, request.Caller.Tenant, new NewFile
            {
                Purpose = "import",
                Name = name,
                ContentType = contentType,
                ExpiresAt = request.Service<TimeProvider>().GetUtcNow() + options.UploadLife,
            }, request.Cancelled);
            await session.CommitAsync(request.Cancelled);
            return file;
        });
        if (made is not { } id)
        {
            return new Problem(ProblemType.Conflict, $"The organization's files have {options.PerOrganizationBytes} bytes or more (FILES_PER_ORGANIZATION_BYTES). Delete some.");
        }
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var size = await Receive(request, id, options.MaxBytes, hash);
        if (size is null or 0)
        {
            await Forget(request, id);
            return size is null ? TooLarge(options) : new Problem(ProblemType.MalformedBody, "The body is empty.");
        }
        var whole = hash.GetHashAndReset();
        await request.InTransaction(async session =>
        {
            await FileStore.Complete(session, request.Caller.OrganizationId, id, size.Value, whole, request.Cancelled);
            await request.Service<ActivityLog>().WriteAsync(
                session, request.Caller, "file.created", "file", id, null, ActivityLog.Members(("name", name), ("contentType", contentType), ("size", size.Value)), [], request.Cancelled);
            await session.CommitAsync(request.Cancelled);
        });
        return await ResourceReads.Read(FileResource.Files, request, id) is JsonAnswer answer
            ? JsonAnswer.OfBytes(answer.Body, StatusCodes.Status201Created, answer.Version, $"/v1/files/{id}")
            : Problem.NotFound();
    }

    /// <summary>The media type that is kept and answered with; null for what is none.</summary>
    private static string? ContentType(string? given) => string.IsNullOrEmpty(given) ? "application/octet-stream"
        : MediaTypeHeaderValue.TryParse(given, out var type) && type.ToString() is { Length: <= 255 } kept ? kept
        : null;

    /// <summary>Writes the body away, piece by piece; null when it is too large.</summary>
    private static async Task<long?> Receive(OperationRequest request, Guid id, long limit, IncrementalHash hash)
    {
        var piece = new byte[FileStore.ChunkBytes];
        long size = 0;
        int filled;
        do
        {
            filled = await request.Http.Request.Body.ReadAtLeastAsync(piece, piece.Length, throwOnEndOfStream: false, request.Cancelled);
            if (size + filled > limit)
            {
                return null;
            }
            if (filled > 0)
            {
                hash.AppendData(piece, 0, filled);
                var offset = size;
                await request.InTransaction(async session =>
                {
                    await FileStore.Write(session, request.Caller.OrganizationId, id, offset, piece[..filled], request.Cancelled);
                    await session.CommitAsync(request.Cancelled);
                });
                size += filled;
            }
        }
        while (filled == piece.Length);
        return size;
    }

    private static Task Forget(OperationRequest request, Guid id) => request.InTransaction(async session =>
    {
        await session.ExecuteAsync("DELETE FROM files WHERE organization_id = $1 AND id = $2", request.Cancelled, request.Caller.OrganizationId, id);
        await session.CommitAsync(request.Cancelled);
    });

    private static Problem TooLarge(FileLimits options) => new(ProblemType.BodyTooLarge, $"A file may have {options.MaxBytes} bytes (FILE_MAX_BYTES).");

    private static async Task<IResult> Send(OperationRequest request)
    {
        if (request.PathId() is not { } id)
        {
            return Problem.NotFound();
        }
        await using var row = await TenantSession.ReadAsync(
            request.Service<ApiDataSource>(), request.Caller.Tenant,
            "SELECT name, content_type, size, minimum_role FROM files WHERE organization_id = $1 AND id = $2 AND is_complete AND (expires_at IS NULL OR expires_at > $3)",
            request.Cancelled, request.Caller.OrganizationId, id, request.Service<TimeProvider>().GetUtcNow());
        if (!await row.ReadAsync(request.Cancelled))
        {
            return Problem.NotFound();
        }
        var (name, contentType, size, role) = (row.GetString(0), row.GetString(1), row.GetInt64(2), Roles.Parse(row.GetString(3)) ?? Role.Owner);
        return request.Caller.Role < role
            ? new Problem(ProblemType.Forbidden, $"This file needs the role {role.Name()}; yours is {request.Caller.Role.Name()}.")
            : new FileContent(request, id, name, contentType, size);
    }

    private sealed class FileContent(OperationRequest request, Guid id, string name, string contentType, long size) : IResult
    {
        public async Task ExecuteAsync(HttpContext httpContext)
        {
            var response = httpContext.Response;
            response.ContentType = contentType;
            response.ContentLength = size;
            // What somebody uploaded is never shown as a page of ours.
            var disposition = new ContentDispositionHeaderValue("attachment");
            disposition.SetHttpFileName(name);
            response.Headers.ContentDisposition = disposition.ToString();
            response.Headers.XContentTypeOptions = "nosniff";
            var reader = new FileReader(request.Service<FileStore>(), request.Caller.Tenant, id, 0);
            while (await reader.Next(request.Cancelled) is { Length: > 0 } piece)
            {
                await response.Body.WriteAsync(piece, request.Cancelled);
            }
        }
    }
}
