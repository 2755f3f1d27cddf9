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
using Microsoft.AspNetCore.Mvc;
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
        Description = "The body is the content itself, at most `FILE_MAX_BYTES`, with its own `Content-Type` (of which an import takes the `charset`); not a form (`multipart/form-data`). Give the file's id to `POST /v1/jobs/imports`. It is seen by whoever uploaded it, and by admins and owners; of API keys, only by the one that uploaded it.",
        Query = [new("name", FileResource.NameType, "Name of the file.")],
        TakesContent = true,
        SuccessStatus = StatusCodes.Status201Created,
        Answer = FileResource.Files.Shape,
        AnswerName = FileResource.Files.SchemaName,
        AnswersEntityTag = true,
        Problems = [ProblemType.Conflict, ProblemType.BodyTooLarge, ProblemType.MalformedBody, ProblemType.UnsupportedMediaType],
    };

    private static readonly Operation Download = new()
    {
        Id = "downloadFile",
        Tag = "files",
        Role = Role.Member,
        Summary = "Download a file",
        Description = "Needs the role that the file names as well, and an API key the scope of what an export holds; 404 once it has expired.",
        AnswersContent = true,
    };

    public static void MapFiles(IEndpointRouteBuilder routes)
    {
        // What a body becomes when it is unpacked is bounded by this; a piece more, so that it is our own count that refuses it, and says so.
        var options = routes.ServiceProvider.GetRequiredService<FileLimits>();
        routes.MapOperation("POST", "/v1/files", Upload, Store).WithMetadata(new RequestSizeLimitAttribute(options.MaxBytes + FileStore.ChunkBytes + 1));
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
        if (request.Http.Request.ContentType?.TrimStart().StartsWith("multipart/", StringComparison.OrdinalIgnoreCase) == true)
        {
            return new Problem(ProblemType.UnsupportedMediaType, "The body must be the file itself, not a form that holds it: with curl, --data-binary @file.csv in the place of -F.");
        }
        if ((string.IsNullOrEmpty(request.Http.Request.ContentType) ? FileLabels.NoType : FileLabels.MediaType(request.Http.Request.ContentType)) is not { } contentType)
        {
            return Problem.Invalid("Content-Type", "Content-Type must be a media type of at most 255 printable characters, such as text/csv; charset=utf-8.");
        }
        var name = FileLabels.Name(request.Parameter<string>("name")) ?? "upload";
        var (reserved, full) = await InTurn(request, () => Reserve(request, options, name, contentType));
        if (reserved is not { } place)
        {
            return full!;
        }
        var id = place.Id;
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        long? size;
        try
        {
            size = await Receive(request, id, place.Bytes, hash);
        }
        catch
        {
            await Forget(request, id);
            throw;
        }
        if (size is null or 0)
        {
            await Forget(request, id);
            return size is null ? TooLarge(options, place.Bytes) : new Problem(ProblemType.MalformedBody, "The body is empty.");
        }
        var whole = hash.GetHashAndReset();
        await InTurn(request, () => request.InTransaction(async session =>
        {
            await session.ExecuteAsync(
                "UPDATE files SET expires_at = $3 WHERE organization_id = $1 AND id = $2", request.Cancelled, request.Caller.OrganizationId, id, request.Service<TimeProvider>().GetUtcNow() + options.UploadLife);
            await FileStore.Complete(session, request.Caller.OrganizationId, id, size.Value, whole, request.Cancelled);
            await request.Service<ActivityLog>().WriteAsync(
                session, request.Caller, "file.created", "file", id, null, ActivityLog.Members(("name", name), ("contentType", contentType), ("size", size.Value)), [], request.Cancelled);
            await session.CommitAsync(request.Cancelled);
            return true;
        }));
        return await ResourceReads.Read(FileResource.Files, request, id) is JsonAnswer answer
            ? JsonAnswer.OfBytes(answer.Body, StatusCodes.Status201Created, answer.Version, $"/v1/files/{id}")
            : Problem.NotFound();
    }

    private static async Task<T> InTurn<T>(OperationRequest request, Func<Task<T>> work)
    {
        using var place = await request.Service<FileTurns>().Take(request.Caller.OrganizationId, request.Cancelled);
        return await work();
    }

    /// <summary>
    /// Takes a file's room before its content comes: what many write at once must not be more than there is. What breaks off is forgotten, here or, when this process dies, by its early
    /// end (<see cref="FileLimits.ReceptionLife"/>).
    /// </summary>
    private static Task<((Guid Id, long Bytes)? Place, Problem? Full)> Reserve(OperationRequest request, FileLimits options, string name, string contentType) =>
        request.InTransaction<((Guid Id, long Bytes)? Place, Problem? Full)>(async session =>
        {
            await session.ExecuteAsync("SELECT pg_advisory_xact_lock(hashtextextended('files ' || $1::text, 0))", request.Cancelled, request.Caller.OrganizationId);
            var used = await session.ScalarAsync<long>("SELECT bytes_of_files()", request.Cancelled);
            // None where it comes in pieces or compressed.
            var says = request.Http.Request.ContentLength;
            var bytes = says ?? Math.Min(options.MaxBytes, options.PerOrganizationBytes - used);
            if (bytes <= 0 && says is null || used + bytes > options.PerOrganizationBytes)
            {
                return (null, new Problem(ProblemType.Conflict, $"The organization's files have {used} bytes, and may have {options.PerOrganizationBytes} (FILES_PER_ORGANIZATION_BYTES). Delete some."));
            }
            var id = await request.Service<FileStore>().Create(session, request.Caller.Tenant, new NewFile
            {
                Purpose = "import",
                Name = name,
                ContentType = contentType,
                ExpiresAt = request.Service<TimeProvider>().GetUtcNow() + FileLimits.ReceptionLife,
            }, request.Cancelled);
            await session.ExecuteAsync("UPDATE files SET size = $3 WHERE organization_id = $1 AND id = $2", request.Cancelled, request.Caller.OrganizationId, id, bytes);
            await session.CommitAsync(request.Cancelled);
            return ((id, bytes), null);
        });

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
                await InTurn(request, () => request.InTransaction(async session =>
                {
                    await FileStore.Write(session, request.Caller.OrganizationId, id, offset, piece[..filled], request.Cancelled);
                    await session.CommitAsync(request.Cancelled);
                    return true;
                }));
                size += filled;
            }
        }
        while (filled == piece.Length);
        return size;
    }

    /// <summary>Also when whoever sent it has gone.</summary>
    private static async Task Forget(OperationRequest request, Guid id)
    {
        await using var session = await TenantSession.OpenAsync(request.Service<ApiDataSource>(), request.Caller.Tenant, CancellationToken.None);
        await session.ExecuteAsync("DELETE FROM files WHERE organization_id = $1 AND id = $2", CancellationToken.None, request.Caller.OrganizationId, id);
        await session.CommitAsync(CancellationToken.None);
    }

    private static Problem TooLarge(FileLimits options, long? room = null) => new(ProblemType.BodyTooLarge, room is { } bytes && bytes < options.MaxBytes
        ? $"The content is longer than the {bytes} bytes that it said it has, or that the organization has left (FILES_PER_ORGANIZATION_BYTES)."
        : $"A file may have {options.MaxBytes} bytes (FILE_MAX_BYTES).");

    private static async Task<IResult> Send(OperationRequest request)
    {
        if (request.PathId() is not { } id)
        {
            return Problem.NotFound();
        }
        await using var row = await TenantSession.ReadAsync(
            request.Service<ApiDataSource>(), request.Caller.Tenant,
            "SELECT name, content_type, size, minimum_role, required_scope FROM files WHERE organization_id = $1 AND id = $2 AND is_complete AND (expires_at IS NULL OR expires_at > $3)",
            request.Cancelled, request.Caller.OrganizationId, id, request.Service<TimeProvider>().GetUtcNow());
        if (!await row.ReadAsync(request.Cancelled))
        {
            return Problem.NotFound();
        }
        var (name, contentType, size, role) = (row.GetString(0), row.GetString(1), row.GetInt64(2), Roles.Parse(row.GetString(3)) ?? Role.Owner);
        if (!row.IsDBNull(4) && row.GetString(4) is var scope && !ApiKeyScopes.Allow(request.Caller, scope))
        {
            return new Problem(ProblemType.Forbidden, scope == NewFile.PersonOnly ? "A person must do this; an API key can't." : $"The API key needs the scope {scope} besides: it is what the file holds.");
        }
        return request.Caller.Role < role
            ? new Problem(ProblemType.Forbidden, $"This file needs the role {role.Name()}; yours is {request.Caller.Role.Name()}.")
            : new FileContent(request, id, name, contentType, size);
    }

    private sealed class FileContent(OperationRequest request, Guid id, string name, string contentType, long size) : IResult
    {
        public async Task ExecuteAsync(HttpContext httpContext)
        {
            var response = httpContext.Response;
            response.ContentType = FileLabels.MediaType(contentType) ?? FileLabels.NoType;
            response.ContentLength = size;
            // What somebody uploaded is never shown as a page of ours.
            var disposition = new ContentDispositionHeaderValue("attachment");
            disposition.SetHttpFileName(name);
            response.Headers.ContentDisposition = disposition.ToString();
            response.Headers.XContentTypeOptions = "nosniff";
            if (Http.HeadRequests.IsHead(httpContext))
            {
                return;
            }
            var reader = new FileReader(request.Service<FileStore>(), request.Caller.Tenant, id, 0);
            while (await InTurn(request, async () => await reader.Next(request.Cancelled)) is { Length: > 0 } piece)
            {
                await response.Body.WriteAsync(piece, request.Cancelled);
            }
        }
    }
}
