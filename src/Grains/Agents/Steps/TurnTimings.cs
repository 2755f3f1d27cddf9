using System.Text.Json;

namespace AgentPlatform.Grains.Agents.Steps;

/// <summary>How long each step of a turn took.</summary>
internal sealed class TurnTimings(TimeProvider time)
{
    private readonly List<(string Step, double Milliseconds)> _steps = [];
    private long _since = time.GetTimestamp();

    /// <summary>Ends a step: the time since the last one ended is its own.</summary>
    public void End(string step)
    {
        var now = time.GetTimestamp();
        _steps.Add((step, time.GetElapsedTime(_since, now).TotalMilliseconds));
        _since = now;
    }

    /// <summary>JSON object of milliseconds by step, for <c>turns.timings</c>.</summary>
    public string ToJson()
    {
        using var stream = new MemoryStream(128);
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            foreach (var step in _steps.GroupBy(step => step.Step))
            {
                json.WriteNumber(step.Key, Math.Round(step.Sum(part => part.Milliseconds), 3));
            }

            json.WriteEndObject();
        }

        return System.Text.Encoding.UTF8.GetString(stream.GetBuffer(), 0, (int)stream.Length);
    }
}
