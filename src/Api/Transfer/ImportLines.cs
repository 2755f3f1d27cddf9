using System.Collections.Immutable;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Resources;
using AgentPlatform.Api.Shapes;
using AgentPlatform.Api.Transfer.Sheets;
using AgentPlatform.Data.Texts;

namespace AgentPlatform.Api.Transfer;

/// <summary>Makes values of records, held against the resource's own shape. What the product sets by itself (ids, sums) is passed over, so that an export can be imported.</summary>
internal abstract class ImportLines(Resource resource, ImportOrder order, TimeProvider clock)
{
    private readonly ImportShape _shape = ImportShape.Of(resource);

    /// <summary>Which columns or members fill which field.</summary>
    protected ImportColumns Columns { get; } = new(resource, order);

    /// <summary>Reads what stands before the first line, once for each run.</summary>
    public abstract Task Open(RecordPosition? position, CancellationToken cancellationToken);

    /// <summary>The next line, or what is wrong with it; null at the end.</summary>
    public abstract ValueTask<ReadLine?> Next(CancellationToken cancellationToken);

    /// <summary>Where the next record begins.</summary>
    public abstract RecordPosition Position { get; }

    /// <param name="dialect">For CSV, how the file is written.</param>
    public static ImportLines Of(Resource resource, ImportOrder order, CsvDialect? dialect, ByteWindow window, TimeProvider clock) =>
        dialect is not null ? new CsvLines(resource, order, clock, dialect, new CsvReader(window, dialect)) : new JsonLines(resource, order, clock, new JsonRecords(window));

    protected ReadLine Finish(long line, ShapeValues values, Violations violations)
    {
        if (order.Key is null)
        {
            foreach (var field in _shape.Fields.Where(field => field.IsRequired && !_shape.Says(values, field) && !_shape.KeysOf(field).Any(key => violations.Has($"/{key.Name}"))))
            {
                violations.Add($"/{field.Name}", "is required.");
            }
        }
        else if (ComparableText.IsBlank(values.Text(order.Key)) && !violations.Has($"/{order.Key}"))
        {
            violations.Add($"/{order.Key}", "is required: rows are recognised by it.");
        }
        else if (resource.Import!.Within is { } within && !_shape.Says(values, resource.Shape.Find(within)!))
        {
            violations.Add($"/{within}", $"is required: {order.Key} is unique within it.");
        }
        foreach (var (field, value) in values.All.Where(entry => _shape.IsKept(entry.Field)))
        {
            if (value is DateTimeOffset moment && moment > clock.GetUtcNow())
            {
                violations.Add($"/{field.Name}", "must not be in the future.");
            }
        }
        return violations.Any ? new(null, Errors(line, violations.ToProblem())) : new(new ImportLine(line, values), []);
    }

    internal static ImmutableArray<LineError> Errors(long line, Problem problem) => problem.Errors.IsEmpty
        ? [new(line, null, problem.Detail ?? problem.Type.Title)]
        : [.. problem.Errors.DistinctBy(error => error.Field).Select(error => new LineError(line, error.Field.TrimStart('/'), error.Detail.TrimStart('/')))];
}
