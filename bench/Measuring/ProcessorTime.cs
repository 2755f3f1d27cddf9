using System.Diagnostics;
using System.Globalization;

namespace AgentPlatform.Bench.Measuring;

/// <summary>Who used the processors between two looks: seconds of processor time by name, and of the whole machine.</summary>
/// <remarks>Linux only (<c>/proc</c>); elsewhere every figure is zero.</remarks>
public sealed class ProcessorTime
{
    private const double TicksPerSecond = 100;
    private readonly (string Name, Func<double> Seconds)[] _parts;
    private readonly double[] _before;
    private readonly double _machineBefore;
    private readonly long _startedAt = Stopwatch.GetTimestamp();

    private ProcessorTime((string Name, Func<double> Seconds)[] parts)
    {
        _parts = parts;
        _before = [.. parts.Select(part => part.Seconds())];
        _machineBefore = Machine();
    }

    /// <summary>Begins to look.</summary>
    /// <param name="parts">A name and the seconds of processor time used so far, each.</param>
    public static ProcessorTime Start(params (string Name, Func<double> Seconds)[] parts) => new(parts);

    /// <summary>Seconds of this process, all threads.</summary>
    public static double Own() => Environment.CpuUsage.TotalTime.TotalSeconds;

    /// <summary>Seconds of another process.</summary>
    public static double Of(int processId) => Stat(processId) is { } stat ? (stat.Own) / TicksPerSecond : 0;

    /// <summary>Seconds of a process, its children that live, and its children that ended: all of a PostgreSQL server by its postmaster.</summary>
    public static double OfTree(int processId)
    {
        if (Stat(processId) is not { } root)
        {
            return 0;
        }
        var ticks = root.Own + root.EndedChildren;
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var id) && Stat(id) is { } stat && stat.Parent == processId)
            {
                ticks += stat.Own + stat.EndedChildren;
            }
        }
        return ticks / TicksPerSecond;
    }

    /// <summary>Ends the look.</summary>
    public ProcessorShares Stop()
    {
        var seconds = Stopwatch.GetElapsedTime(_startedAt).TotalSeconds;
        var parts = _parts.Select((part, index) => new ProcessorShare(part.Name, part.Seconds() - _before[index])).ToList();
        var others = Machine() - _machineBefore - parts.Sum(part => part.Seconds);
        parts.Add(new ProcessorShare("others", Math.Max(0, others)));
        return new ProcessorShares(seconds, parts);
    }

    private static (int Parent, double Own, double EndedChildren)? Stat(int processId)
    {
        try
        {
            var text = File.ReadAllText($"/proc/{processId}/stat");
            // The name in brackets may hold spaces; fields are counted from behind it.
            var fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
            return (int.Parse(fields[1], CultureInfo.InvariantCulture), Ticks(11) + Ticks(12), Ticks(13) + Ticks(14));

            double Ticks(int index) => double.Parse(fields[index], CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            // It ended between the listing and the look.
            return null;
        }
    }

    /// <summary>Everything but idle and waiting for the disk, in seconds over all processors.</summary>
    private static double Machine()
    {
        if (!File.Exists("/proc/stat"))
        {
            return 0;
        }
        var fields = File.ReadLines("/proc/stat").First().Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return new[] { 1, 2, 3, 6, 7, 8 }.Sum(index => double.Parse(fields[index], CultureInfo.InvariantCulture)) / TicksPerSecond;
    }
}

/// <summary>Seconds of processor time that one part used.</summary>
public sealed record ProcessorShare(string Name, double Seconds);

/// <summary>Processor time by part over a span.</summary>
/// <param name="Elapsed">Length of the span in seconds.</param>
public sealed record ProcessorShares(double Elapsed, IReadOnlyList<ProcessorShare> Parts)
{
    /// <summary>Cores that a part kept busy.</summary>
    public double Cores(string name) => Parts.First(part => part.Name == name).Seconds / Elapsed;

    /// <summary>Processor time of a part for each of so many units of work, in microseconds.</summary>
    public double MicrosecondsPer(string name, long count) => count == 0 ? 0 : Parts.First(part => part.Name == name).Seconds * 1e6 / count;

    /// <summary>One line: cores of each part.</summary>
    public override string ToString() => string.Join(", ", Parts.Select(part => string.Create(CultureInfo.InvariantCulture, $"{part.Name} {part.Seconds / Elapsed:0.00}"))) + " cores";

    /// <summary>One line: microseconds of each part per unit of work.</summary>
    public string Per(long count) => string.Join(", ", Parts.Select(part => string.Create(CultureInfo.InvariantCulture, $"{part.Name} {part.Seconds * 1e6 / Math.Max(1, count):0}"))) + " µs";
}
