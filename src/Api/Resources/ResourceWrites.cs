using System.Text.Json;
using AgentPlatform.Api.ActivityLogs;
using AgentPlatform.Api.Operations;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Shapes;
using AgentPlatform.Data;
using AgentPlatform.Data.Tenancy;
using Npgsql;

namespace AgentPlatform.Api.Resources;

/// <summary>Creates, changes and deletes rows of a resource. Row, audit row and kept answer are one transaction.</summary>
internal static class ResourceWrites
{
    public static Task<IResult> Create(Resource resource, OperationRequest request) => request.InTransaction<IResult>(async session =>
    {
        if (await Idempotency.Claim(session, request) is { } before)
        {
            return before;
        }
        var change = new ResourceChange
        {
            Resource = resource,
            Request = request,
            Session = session,
            Id = resource.IsTenantItself ? request.Caller.OrganizationId : resource.KeyField is { } key ? request.Body.Get<Guid>(key) : Uuid.New(request.Service<TimeProvider>()),
            Values = new(request.Body),
        };
        if (await Run(change) is { } refused)
        {
            return refused;
        }
        var row = change.After!;
        var answer = JsonAnswer.OfBytes(WithRevealed(change, row.Json), StatusCodes.Status201Created, row.Version, resource.IsTenantItself ? $"{request.Http.Request.Path}" : $"/v1/{resource.Path}/{row.Id}");
        await Idempotency.Keep(session, request, answer);
        await session.CommitAsync(request.Cancelled);
        return answer;
    });

    public static Task<IResult> Update(Resource resource, OperationRequest request) => request.InTransaction<IResult>(async session =>
    {
        var (row, problem) = await UpdateOne(resource, request, session, KeyOf(resource, request), new(request.Body));
        if (row is null)
        {
            return problem!;
        }
        await session.CommitAsync(request.Cancelled);
        return JsonAnswer.OfBytes(row.Json, version: row.Version);
    });

    /// <summary>Changes a row; the caller commits.</summary>
    internal static async Task<(ResourceRow? Row, Problem? Problem)> UpdateOne(
        Resource resource, OperationRequest request, TenantSession session, Guid? id, ShapeValues values)
    {
        var (before, problem) = await Hold(resource, request, session, id);
        if (before is null)
        {
            return (null, problem);
        }
        var change = new ResourceChange
        {
            Resource = resource,
            Request = request,
            Session = session,
            Id = id!.Value,
            Values = values,
            Before = before,
        };
        return await Run(change) is { } refused ? (null, refused) : (change.After, null);
    }

    public static Task<IResult> Act(Resource resource, ResourceAction action, OperationRequest request) => request.InTransaction<IResult>(async session =>
    {
        var (before, problem) = await Hold(resource, request, session, KeyOf(resource, request));
        if (before is null)
        {
            return problem!;
        }
        var change = new ResourceChange
        {
            Resource = resource,
            Request = request,
            Session = session,
            Id = before.Id,
            Values = new(),
            Before = before,
            Action = action,
        };
        if (await action.Apply(change) is { } impossible)
        {
            return impossible;
        }
        if (await Run(change) is { } refused)
        {
            return refused;
        }
        await session.CommitAsync(request.Cancelled);
        return JsonAnswer.OfBytes(change.After!.Json, version: change.After.Version);
    });

    public static Task<IResult> Delete(Resource resource, OperationRequest request) => request.InTransaction<IResult>(async session =>
    {
        var (before, problem) = await Hold(resource, request, session, KeyOf(resource, request), forDeletion: true);
        if (before is null)
        {
            return problem!;
        }
        var change = new ResourceChange
        {
            Resource = resource,
            Request = request,
            Session = session,
            Id = before.Id,
            Values = request.Body,
            Before = before,
            IsDeletion = true,
        };
        if (resource.BeforeWrite is { } rules && await rules(change) is { } refused)
        {
            return refused;
        }
        if (request.Parameter<bool>(DeletionEffects.DryRun))
        {
            return await DeletionEffects.Tell(session, resource, change.Id, request.Cancelled);
        }
        try
        {
            await session.ExecuteAsync(ResourceSql.Of(resource).Delete, request.Cancelled, request.Caller.OrganizationId, change.Id);
        }
        catch (PostgresException failure) when (Refusal(resource, failure) is not null)
        {
            return Refusal(resource, failure)!;
        }
        await Follow(change, "deleted");
        await session.CommitAsync(request.Cancelled);
        return TypedResults.NoContent();
    });

    private static ReadOnlyMemory<byte> WithRevealed(ResourceChange change, ReadOnlyMemory<byte> json) => change.Revealed.Count == 0 ? json : JsonAnswer.Write(writer =>
    {
        writer.WriteStartObject();
        using var row = JsonDocument.Parse(json);
        foreach (var member in row.RootElement.EnumerateObject())
        {
            member.WriteTo(writer);
        }
        foreach (var (name, value) in change.Revealed)
        {
            writer.WriteString(name, value);
        }
        writer.WriteEndObject();
    });

    /// <summary>The row under a lock, at the version that the caller names.</summary>
    private static async Task<(ResourceRow? Row, Problem? Problem)> Hold(Resource resource, OperationRequest request, TenantSession session, Guid? key, bool forDeletion = false)
    {
        if (key is not { } id)
        {
            return (null, Problem.NotFound());
        }
        if (resource.LockedFirst is { } first)
        {
            await session.ExecuteAsync(first, request.Cancelled, request.Caller.OrganizationId, id);
        }
        var row = await ReadOne(session, resource, request, forDeletion ? ResourceSql.Of(resource).SelectForDeletion : ResourceSql.Of(resource).SelectForChange, id);
        return row switch
        {
            null => (null, Problem.NotFound()),
            { Version: { } current } when !request.Expects(current) => (null, Problem.Stale(current)),
            _ => (row, null),
        };
    }

    /// <summary>Checks, writes and logs; the caller commits. Returns why not.</summary>
    private static async Task<Problem?> Run(ResourceChange change)
    {
        if (await Apply(change) is { } problem)
        {
            return problem;
        }
        await Follow(change, change.IsCreation ? "created" : change.Action?.Past ?? "updated");
        return null;
    }

    /// <summary>Checks and writes a creation or change, in a transaction that may hold more of them. After a problem, the transaction may be good for nothing but a rollback.</summary>
    internal static async Task<Problem?> Apply(ResourceChange change)
    {
        if (await References.Check(change) is { } dangling)
        {
            return dangling;
        }
        if (change.Resource.BeforeWrite is { } rules && await rules(change) is { } refused)
        {
            return refused;
        }
        try
        {
            change.After = await (change.IsCreation ? Insert(change) : Write(change));
        }
        catch (PostgresException failure) when (Refusal(change.Resource, failure) is not null)
        {
            return Refusal(change.Resource, failure)!;
        }
        return change.After is null ? Problem.NotFound() : null;
    }

    /// <summary>What a constraint that the resource declares has to say; null for another failure.</summary>
    private static Problem? Refusal(Resource resource, PostgresException failure) => failure.SqlState switch
    {
        PostgresErrorCodes.UniqueViolation when resource.Uniques.FirstOrDefault(unique => unique.Constraint == failure.ConstraintName) is { } unique =>
            new Problem(ProblemType.Conflict, unique.Detail) { Errors = [new($"/{unique.Field}", unique.Detail)] },
        PostgresErrorCodes.CheckViolation when resource.Checks.FirstOrDefault(check => check.Constraint == failure.ConstraintName) is { } check => Refusal(check, check.Detail ?? failure.MessageText),
        PostgresErrorCodes.CheckViolation when Currencies.IsAboutPlaces(failure.ConstraintName, out var column) && resource.Shape.Fields.FirstOrDefault(field => field.Column == column) is { } amount =>
            Problem.Invalid($"/{amount.Name}", $"/{amount.Name} has more decimal places than its currency."),
        _ => null,
    };

    private static Problem Refusal(CheckRule check, string detail) => check.IsAboutState
        ? new Problem(ProblemType.Conflict, detail) { Errors = [new($"/{check.Field}", detail)] }
        : Problem.Invalid($"/{check.Field}", detail);

    /// <summary>What belongs to a change that was written: the resource's own further writes, and the audit row.</summary>
    internal static async Task Follow(ResourceChange change, string what)
    {
        var resource = change.Resource;
        if (resource.AfterWrite is { } more)
        {
            await more(change);
        }
        await change.Request.Service<ActivityLog>().WriteAsync(
            change.Session, change.Caller, $"{resource.Singular}.{what}", resource.Singular, change.Id,
            change.Before?.Json, change.After?.Json, change.ChangedSecrets, change.Request.Cancelled);
    }

    private static async Task<ResourceRow?> Insert(ResourceChange change)
    {
        var columns = Columns(change);
        columns.TryAdd(change.Resource.KeyColumn, new NpgsqlParameter { Value = change.Id });
        if (!change.Resource.IsGlobal)
        {
            columns["organization_id"] = new NpgsqlParameter { Value = change.Caller.OrganizationId };
        }
        return await Execute(change, ResourceSql.Of(change.Resource).Insert([.. columns.Keys]), [.. columns.Values]);
    }

    private static async Task<ResourceRow?> Write(ResourceChange change)
    {
        var columns = Columns(change);
        return await Execute(
            change, ResourceSql.Of(change.Resource).Update([.. columns.Keys]), [change.Caller.OrganizationId, change.Id, .. columns.Values]);
    }

    private static Dictionary<string, NpgsqlParameter> Columns(ResourceChange change)
    {
        var columns = change.Values.All.ToDictionary(entry => entry.Field.Column, entry => entry.Field.Type.Parameter(entry.Value), StringComparer.Ordinal);
        foreach (var (column, value) in change.Columns)
        {
            columns[column] = value;
        }
        return columns;
    }

    private static async Task<ResourceRow?> Execute(ResourceChange change, string sql, object?[] values)
    {
        await using var row = await change.Session.QueryAsync(sql, change.Request.Cancelled, values);
        return await row.ReadAsync(change.Request.Cancelled) ? ResourceRow.Read(change.Resource, ResourceSql.Of(change.Resource).Readable, row, Context(change.Request)) : null;
    }

    private static async Task<ResourceRow?> ReadOne(TenantSession session, Resource resource, OperationRequest request, string sql, Guid id)
    {
        await using var row = await session.QueryAsync(sql, request.Cancelled, request.Caller.OrganizationId, id);
        return await row.ReadAsync(request.Cancelled) ? ResourceRow.Read(resource, ResourceSql.Of(resource).Readable, row, Context(request)) : null;
    }

    internal static Guid? KeyOf(Resource resource, OperationRequest request) => resource.IsTenantItself ? request.Caller.OrganizationId : request.PathId();

    internal static FieldReadContext Context(OperationRequest request) => new(request.Http.RequestServices, request.Caller.OrganizationId);
}
