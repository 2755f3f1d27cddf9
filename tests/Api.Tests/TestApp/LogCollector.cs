using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace AgentPlatform.Api.Tests.TestApp;

/// <summary>Keeps what a host logs as an error.</summary>
public sealed class LogCollector : ILoggerProvider
{
    private readonly ConcurrentQueue<string> _errors = new();

    public IReadOnlyCollection<string> Errors => _errors;

    /// <summary>
    /// From here on Orleans' own complaints don't count, nor those of the pipeline (Polly's) by which it places grains: a silo that stops calls it an error
    /// that it can't deliver what still comes. Rows tell another silo of it.
    /// </summary>
    public bool IsStopping { get; set; }

    public ILogger CreateLogger(string categoryName) => new Collector(categoryName, this);

    public void Dispose()
    {
    }

    private sealed class Collector(string category, LogCollector collector) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        /// <summary>A health check that fails tells the orchestrator what is so; it is no defect.</summary>
        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Error && !category.Contains("HealthCheck", StringComparison.Ordinal)
            && !(collector.IsStopping && (category.StartsWith("Orleans.", StringComparison.Ordinal) || category == "Polly"));

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
            {
                collector._errors.Enqueue($"{category}: {formatter(state, exception)} {exception}");
            }
        }
    }
}
