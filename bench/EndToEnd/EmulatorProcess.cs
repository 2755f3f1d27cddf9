using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using AgentPlatform.Bench.Data;
using AgentPlatform.Bench.Measuring;
using AgentPlatform.Bench.Processes;
using AgentPlatform.Fakes.Llm;
using AgentPlatform.Fakes.WhatsApp;

namespace AgentPlatform.Bench.EndToEnd;

/// <summary>The emulated platform and the emulated model, in a process of their own.</summary>
public sealed class EmulatorProcess : IAsyncDisposable
{
    /// <summary>The argument that turns this program into the emulators.</summary>
    public const string Argument = "emulators";

    private readonly ChildProcess _process;

    private EmulatorProcess(ChildProcess process, string platform, string model)
    {
        _process = process;
        PlatformUrl = platform;
        ModelUrl = model;
    }

    /// <summary>For the channel's <c>settings.apiBaseUrl</c>.</summary>
    public string PlatformUrl { get; }

    /// <summary>For <c>llm_credentials.base_url</c>.</summary>
    public string ModelUrl { get; }

    /// <summary>Seconds of processor time so far.</summary>
    public double ProcessorSeconds() => ProcessorTime.Of(_process.Id);

    /// <summary>Starts both.</summary>
    public static async Task<EmulatorProcess> StartAsync()
    {
        var process = ChildProcess.StartSelf([Argument]);
        return new EmulatorProcess(process, await process.ReadLineAsync(), await process.ReadLineAsync());
    }

    /// <summary>How long the model thinks from now on. Forgets what arrived.</summary>
    public Task ThinkForAsync(int milliseconds) => AskAsync(milliseconds.ToString(CultureInfo.InvariantCulture));

    /// <summary>What arrived at the platform since: when (monotonic ticks) and for whom.</summary>
    public async Task<Arrivals> ReadArrivalsAsync() => JsonSerializer.Deserialize<Arrivals>(await AskAsync("arrivals"))!;

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        _process.Input.Close();
        await _process.DisposeAsync();
    }

    /// <summary>The process itself: takes one command a line, answers each with one.</summary>
    public static async Task ServeAsync(TextReader input, TextWriter output)
    {
        await using var platform = await FakeGraphApi.StartAsync();
        await using var model = await FakeModelServer.StartAsync();
        var gate = new Lock();
        var times = new List<long>();
        var contacts = new List<string>();
        platform.AddNumber(Identities.PhoneNumberId, BenchDatabase.AccessToken).Records = false;
        platform.OnAccepted = message =>
        {
            var now = Stopwatch.GetTimestamp();
            lock (gate)
            {
                times.Add(now);
                contacts.Add(message.Recipient);
            }
        };
        model.RecordsRequests = false;
        await output.WriteLineAsync(platform.BaseUrl);
        await output.WriteLineAsync(model.BaseUrl);
        await output.FlushAsync();
        while (await input.ReadLineAsync() is { } command)
        {
            string answer;
            lock (gate)
            {
                if (command == "arrivals")
                {
                    answer = JsonSerializer.Serialize(new Arrivals([.. times], [.. contacts], platform.Rejections.Count + model.Rejected, platform.Rejections.FirstOrDefault()));
                }
                else
                {
                    var behaviour = new FakeModelBehaviour.Answer("Yes, there are two places left on that day. Shall I reserve them for you?")
                    {
                        Delay = TimeSpan.FromMilliseconds(int.Parse(command, CultureInfo.InvariantCulture)),
                    };
                    model.Behave = _ => behaviour;
                    times.Clear();
                    contacts.Clear();
                    answer = "ok";
                }
            }
            await output.WriteLineAsync(answer);
            await output.FlushAsync();
        }
    }

    private async Task<string> AskAsync(string command)
    {
        await _process.Input.WriteLineAsync(command);
        await _process.Input.FlushAsync();
        return await _process.ReadLineAsync();
    }
}

/// <summary>Messages that the platform accepted.</summary>
/// <param name="Times">When each arrived, in ticks of the stopwatch, which all processes of a machine share.</param>
/// <param name="Contacts">Who it was for.</param>
/// <param name="Rejected">Requests that broke a protocol.</param>
/// <param name="Rejection">Why the first of them was rejected.</param>
public sealed record Arrivals(long[] Times, string[] Contacts, int Rejected, string? Rejection);
