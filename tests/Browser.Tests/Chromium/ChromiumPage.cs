using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace AgentPlatform.Browser.Tests.Chromium;

/// <summary>One tab. What a page complains about (exceptions, refused scripts and styles, failed requests) is kept in <see cref="Complaints"/>.</summary>
public sealed class ChromiumPage(ChromiumBrowser browser, string session, string profile)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly ConcurrentQueue<string> _complaints = new();
    private readonly ConcurrentQueue<string> _requests = new();
    private TaskCompletionSource _loaded = new();

    public IReadOnlyCollection<string> Complaints => _complaints;

    /// <summary>The profile that its storage belongs to; other tabs may have the same.</summary>
    public string Profile => profile;

    /// <summary>Addresses that the page has asked for.</summary>
    public IReadOnlyCollection<string> Requests => _requests;

    public Task<JsonObject> Send(string method, JsonObject? parameters = null) => browser.Send(method, parameters ?? [], session);

    /// <summary>Opens an address and waits until it is loaded.</summary>
    public async Task Open(string address)
    {
        _loaded = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await Send("Page.navigate", new() { ["url"] = address });
        await _loaded.Task.WaitAsync(Patience);
    }

    /// <summary>Opens the same address again.</summary>
    public async Task Reload()
    {
        _loaded = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await Send("Page.reload");
        await _loaded.Task.WaitAsync(Patience);
    }

    /// <summary>The value of an expression, which may be a promise.</summary>
    /// <param name="script">JavaScript.</param>
    /// <param name="frame">A frame of the page; null for the page itself.</param>
    public async Task<T> Evaluate<T>(string script, string? frame = null)
    {
        var parameters = new JsonObject { ["expression"] = script, ["awaitPromise"] = true, ["returnByValue"] = true, ["userGesture"] = true };
        if (frame is not null)
        {
            parameters["contextId"] = (await Send("Page.createIsolatedWorld", new() { ["frameId"] = frame }))["executionContextId"]!.GetValue<int>();
        }
        var answer = await Send("Runtime.evaluate", parameters);
        if (answer["exceptionDetails"] is { } failure)
        {
            throw new InvalidOperationException($"{script}: {failure.ToJsonString()}");
        }
        return answer["result"]!["value"] is { } value ? value.Deserialize<T>()! : default!;
    }

    /// <summary>Waits until an expression is true; fails with what is on the page when it doesn't become so in time.</summary>
    public async Task Until(string condition, string? frame = null)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (!await Evaluate<bool>($"Boolean({condition})", frame))
        {
            Assert.False(patience.IsCancellationRequested, $"It did not become true: {condition}\n{await Evaluate<string>("document.body.innerText", frame)}\n{string.Join('\n', _complaints)}");
            await Task.Delay(10, CancellationToken.None);
        }
    }

    /// <summary>Types text where the focus is.</summary>
    public Task Type(string text) => Send("Input.insertText", new() { ["text"] = text });

    /// <summary>Presses a key: Enter, Tab, Escape.</summary>
    public async Task Press(string key, bool shift = false)
    {
        var code = key switch { "Enter" => 13, "Tab" => 9, "Escape" => 27, _ => throw new ArgumentOutOfRangeException(nameof(key), key, "not a key that tests press") };
        foreach (var type in (string[])["keyDown", "keyUp"])
        {
            var press = new JsonObject { ["type"] = type, ["key"] = key, ["code"] = key, ["windowsVirtualKeyCode"] = code, ["modifiers"] = shift ? 8 : 0 };
            if (key == "Enter" && type == "keyDown")
            {
                press["text"] = "\r";
            }
            await Send("Input.dispatchKeyEvent", press);
        }
    }

    /// <summary>The size of the window in CSS pixels; a phone has a touch screen.</summary>
    public async Task Resize(int width, int height, bool isPhone = false)
    {
        await Send("Emulation.setDeviceMetricsOverride", new() { ["width"] = width, ["height"] = height, ["deviceScaleFactor"] = 1, ["mobile"] = isPhone });
        await Send("Emulation.setTouchEmulationEnabled", new() { ["enabled"] = isPhone });
    }

    /// <summary>What the visitor's system prefers, such as <c>prefers-color-scheme</c> dark.</summary>
    public Task Prefer(string feature, string value) =>
        Send("Emulation.setEmulatedMedia", new() { ["features"] = new JsonArray(new JsonObject { ["name"] = feature, ["value"] = value }) });

    /// <summary>Takes the network away, or gives it back.</summary>
    public Task SetOffline(bool isOffline) =>
        Send("Network.emulateNetworkConditions", new() { ["offline"] = isOffline, ["latency"] = 0, ["downloadThroughput"] = -1, ["uploadThroughput"] = -1 });

    /// <summary>The frames below the page, with their addresses.</summary>
    public async Task<IReadOnlyList<(string Id, string Address)>> Frames() =>
        [.. ((await Send("Page.getFrameTree"))["frameTree"]!["childFrames"]?.AsArray() ?? []).Select(child => child!["frame"]!.AsObject()).Select(frame => (frame.Text("id"), frame.Text("url")))];

    /// <summary>What assistive technology is told: role and name of everything that isn't ignored.</summary>
    public async Task<IReadOnlyList<(string Role, string Name)>> AccessibleNodes() =>
        [.. (await Send("Accessibility.getFullAXTree"))["nodes"]!.AsArray().Where(node => node!["ignored"]?.GetValue<bool>() is not true)
            .Select(node => (node!["role"]?["value"]?.GetValue<string>() ?? "", node["name"]?["value"]?.GetValue<string>() ?? ""))];

    /// <summary>A picture of the page, for a person to look at.</summary>
    public async Task<byte[]> Picture() => Convert.FromBase64String((await Send("Page.captureScreenshot")).Text("data"));

    internal void Hear(string method, JsonObject parameters)
    {
        switch (method)
        {
            case "Page.loadEventFired":
                _loaded.TrySetResult();
                break;
            case "Network.requestWillBeSent":
                _requests.Enqueue(parameters["request"]!["url"]!.GetValue<string>());
                break;
            case "Runtime.exceptionThrown":
                _complaints.Enqueue(parameters["exceptionDetails"]!.ToJsonString());
                break;
            case "Log.entryAdded" when parameters["entry"]!["level"]!.GetValue<string>() is "error" or "warning":
                _complaints.Enqueue(parameters["entry"]!.ToJsonString());
                break;
        }
    }
}
