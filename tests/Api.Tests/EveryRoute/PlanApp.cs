using System.Collections.Concurrent;
using AgentPlatform.Api.Tests.TestApp;
using AgentPlatform.Data.Connections;
using AgentPlatform.Grains.Channels.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace AgentPlatform.Api.Tests.EveryRoute;

/// <summary>The product with the engine, on a database that tells of each statement how it was carried out.</summary>
public class PlanApp : EngineApp
{
    /// <summary>Goes with a request into the grains that it calls.</summary>
    private const string Route = "route";
    private readonly PlanLog _plans = new();
    private readonly ILoggerFactory _driverLog;

    public PlanApp() => _driverLog = LoggerFactory.Create(logging => logging.SetMinimumLevel(LogLevel.Debug).AddProvider(_plans));

    /// <summary>The plans of all statements since it was asked last.</summary>
    internal QueryPlan[] TakePlans() => _plans.Take();

    /// <summary>A request says by its <c>User-Agent</c> which route it tries: what is read on its way carries that name.</summary>
    public static string Agent(string route) => $"plans/{route}";

    protected override async Task OpenDatabase()
    {
        await base.OpenDatabase();
        try
        {
            await Database.ExecuteAsAdminAsync("LOAD 'auto_explain'");
        }
        catch (PostgresException failure)
        {
            Assert.Fail(
                $"The server has no auto_explain ({failure.MessageText}): the plans of the API's queries can't be read. It comes with PostgreSQL (Debian and Ubuntu: package "
                + $"postgresql; others: postgresql-contrib), and whoever {Fakes.Postgres.TestDatabase.ServerVariable} signs in as must be a superuser. Only IndexTests, by counters, looks at lists without it.");
        }
        foreach (var setting in new[]
        {
            "session_preload_libraries = auto_explain", "auto_explain.log_min_duration = 0", "auto_explain.log_nested_statements = on", "auto_explain.log_format = json",
            "auto_explain.log_analyze = on", "auto_explain.log_timing = off", "auto_explain.log_level = notice",
        })
        {
            await Database.ExecuteAsAdminAsync($"ALTER DATABASE {new NpgsqlConnectionStringBuilder(Database.AdminConnectionString).Database} SET {setting}");
        }
    }

    protected override async Task CloseDatabase()
    {
        await base.CloseDatabase();
        _driverLog.Dispose();
    }

    protected override Dictionary<string, string?> Settings() => new(base.Settings()) { ["PUBLIC_BASE_URL"] = "https://platform.example.com", ["SIGN_UPS_PER_HOUR"] = "1000" };

    protected override void Configure(WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton(DataOptions.From(builder.Configuration) with { DriverLog = _driverLog });
        base.Configure(builder);
        builder.Services.AddWebConnector();
    }

    protected override void Map(WebApplication app)
    {
        app.Use(next => context =>
        {
            if (context.Request.Headers.UserAgent.ToString() is var agent && agent.StartsWith("plans/", StringComparison.Ordinal))
            {
                RequestContext.Set(Route, agent["plans/".Length..]);
            }
            else
            {
                RequestContext.Remove(Route);
            }
            return next(context);
        });
        base.Map(app);
    }

    /// <summary>Takes the plans out of what the driver logs of the server's notices.</summary>
    private sealed class PlanLog : ILoggerProvider
    {
        private readonly ConcurrentQueue<(string? Route, string Json)> _plans = new();

        public QueryPlan[] Take()
        {
            var taken = new List<QueryPlan>();
            while (_plans.TryDequeue(out var plan))
            {
                taken.Add(QueryPlan.Parse(plan.Route, plan.Json));
            }
            return [.. taken];
        }

        public ILogger CreateLogger(string categoryName) => new Notices(_plans, categoryName == "Npgsql.Connection");

        public void Dispose()
        {
        }
    }

    private sealed class Notices(ConcurrentQueue<(string? Route, string Json)> plans, bool isEnabled) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => isEnabled;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (isEnabled && eventId == NpgsqlEventId.ReceivedNotice && formatter(state, exception) is var text && text.IndexOf("plan:\n{", StringComparison.Ordinal) is >= 0 and var start)
            {
                plans.Enqueue((RequestContext.Get(Route) as string, text[(start + "plan:\n".Length)..]));
            }
        }
    }
}
