using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace AgentPlatform.Bench.Reporting;

/// <summary>Gathers figures, and shows them as a table and as JSON.</summary>
public sealed class Report(bool isQuick)
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private readonly List<Figure> _figures = [];
    private readonly DateTimeOffset _startedAt = TimeProvider.System.GetUtcNow();

    /// <summary>Facts about the server that the machine doesn't tell: versions and settings.</summary>
    public SortedDictionary<string, string> Environment { get; } = new(StringComparer.Ordinal);

    /// <summary>Adds a figure. Where figures of the same run are given, its ratio to each is kept with it.</summary>
    public void Add(Figure figure, params ReadOnlySpan<(string Name, double? Value)> against)
    {
        foreach (var (name, value) in against)
        {
            if (value is > 0)
            {
                figure.Ratios[name] = Math.Round(figure.Value / value.Value, 3);
            }
        }
        _figures.Add(figure with { Value = Math.Round(figure.Value, figure.Value < 10 ? 3 : 1) });
    }

    /// <summary>A figure of this run, if it was measured already.</summary>
    public double? Find(string part, string name) => _figures.Find(figure => figure.Part == part && figure.Name == name)?.Value;

    /// <summary>Prints all figures.</summary>
    public void Print(TextWriter output)
    {
        output.WriteLine();
        output.WriteLine($"{"",-4}{"figure",-58} {"value",14} {"goal",12}  ratios");
        foreach (var part in _figures.GroupBy(figure => figure.Part))
        {
            output.WriteLine(part.Key);
            foreach (var figure in part)
            {
                var goal = figure.Goal is { } wanted ? (figure.IsCeiling ? "< " : "> ") + Number(wanted) : "";
                var met = figure.IsMet switch { true => "ok", false => "--", null => "" };
                var ratios = string.Join(", ", figure.Ratios.Select(ratio => string.Create(CultureInfo.InvariantCulture, $"{ratio.Value:0.00} of {ratio.Key}")));
                output.WriteLine($"{met,-4}{figure.Name,-58} {Number(figure.Value) + " " + figure.Unit,14} {goal,12}  {ratios}");
            }
        }
        output.WriteLine();
    }

    /// <summary>Writes all figures as JSON.</summary>
    public async Task WriteAsync(string path)
    {
        var content = new
        {
            startedAt = _startedAt,
            seconds = Math.Round((TimeProvider.System.GetUtcNow() - _startedAt).TotalSeconds),
            quick = isQuick,
            machine = new
            {
                processors = System.Environment.ProcessorCount,
                memoryBytes = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes,
                system = RuntimeInformation.OSDescription,
                dotnet = RuntimeInformation.FrameworkDescription,
            },
            environment = Environment,
            figures = _figures,
        };
        await File.WriteAllTextAsync(path, JsonSerializer.Serialize(content, Json) + "\n");
    }

    private static string Number(double value) => value.ToString(Math.Abs(value) >= 1000 ? "N0" : Math.Abs(value) >= 10 ? "0.0" : "0.00", CultureInfo.InvariantCulture);
}
