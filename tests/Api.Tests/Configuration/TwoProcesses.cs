using AgentPlatform.Api.Tests.TestApp;
using AgentPlatform.Fakes.Llm;

namespace AgentPlatform.Api.Tests.Configuration;

/// <summary>Two processes of the product on one database, and a model beside them. Each has its own grains and caches; all that they share is Postgres.</summary>
public sealed class TwoProcesses : IAsyncLifetime
{
    private readonly FirstProcess _here = new();
    private readonly SecondProcess _there;

    public TwoProcesses()
    {
        _there = new SecondProcess(_here);
    }

    /// <summary>Where changes are made.</summary>
    public EngineApp Here => _here;

    /// <summary>The other one, which only Postgres tells of them.</summary>
    public EngineApp There => _there;

    public FakeModelServer Model { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        Model = await FakeModelServer.StartAsync();
        await ((IAsyncLifetime)_here).InitializeAsync();
        await ((IAsyncLifetime)_there).InitializeAsync();
    }

    public async Task DisposeAsync()
    {
        await ((IAsyncLifetime)_there).DisposeAsync();
        await ((IAsyncLifetime)_here).DisposeAsync();
        await Model.DisposeAsync();
    }

    private sealed class FirstProcess : EngineApp
    {
        private Dictionary<string, string?>? _settings;

        // What is only believed for a while must not pass for what was heard.
        public Dictionary<string, string?> Shared => _settings ??= new(base.Settings()) { ["Engine:Usage:RefreshInterval"] = "01:00:00" };

        protected override Dictionary<string, string?> Settings() => Shared;
    }

    private sealed class SecondProcess(FirstProcess first) : EngineApp
    {
        public override string DatabaseUrl => first.DatabaseUrl;

        protected override Task OpenDatabase() => Task.CompletedTask;

        protected override Task CloseDatabase() => Task.CompletedTask;

        protected override Dictionary<string, string?> Settings() => first.Shared;
    }
}
