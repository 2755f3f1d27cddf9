using System.Collections.Immutable;
using System.Globalization;
using AgentPlatform.Api.Operations;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Shapes;
using static AgentPlatform.Api.Shapes.Fields;

namespace AgentPlatform.Api.Resources;

/// <summary>One change for many rows of a resource: assigned to somebody, moved to a status. Each row goes through the resource's own rules.</summary>
internal static class BulkUpdates
{
    /// <summary>Most rows of one request.</summary>
    public const int MostRows = 500;

    public static readonly Shape Answer = new(Integer("changed").ReadOnly().About("How many rows changed."));

    public static Shape Body(Resource resource) => new(
        List("ids", new UuidType(), MostRows, 1).Required(),
        new Field("change", new ObjectType(resource.Shape) { ReadUse = ShapeUse.Change }).Required().About("As for a change of one."));

    public static Task<IResult> Apply(Resource resource, OperationRequest request) => request.InTransaction<IResult>(async session =>
    {
        var ids = request.Body.Get<ImmutableArray<object>>("ids").Cast<Guid>().ToArray();
        var change = request.Body.Object("change")!;
        // Always in the same order, so that two requests for the same rows wait for each other instead of blocking each other.
        foreach (var (index, id) in ids.Index().DistinctBy(entry => entry.Item).OrderBy(entry => entry.Item))
        {
            var (row, problem) = await ResourceWrites.UpdateOne(resource, request, session, id, new ShapeValues(change));
            if (row is null)
            {
                return About(problem!, index);
            }
        }
        await session.CommitAsync(request.Cancelled);
        return JsonAnswer.Of(json => json.WriteNumber("changed", ids.Distinct().Count()));
    });

    /// <summary>The problem of one row, told about the request that named it.</summary>
    private static Problem About(Problem problem, int index)
    {
        var row = string.Create(CultureInfo.InvariantCulture, $"/ids/{index}");
        if (problem.Type == ProblemType.NotFound)
        {
            return Problem.Invalid(row, $"{row} names nothing in this organization.");
        }
        return new Problem(problem.Type, $"{row}: {problem.Detail ?? problem.Type.Title}")
        {
            Errors = [new(row, problem.Detail ?? problem.Type.Title), .. problem.Errors.Select(error => error with { Field = $"/change{error.Field}" })],
        };
    }
}
