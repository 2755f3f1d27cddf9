using OpenTelemetry;
using OpenTelemetry.Logs;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace AgentPlatform.Api.Hosting;

/// <summary>
/// Logs to the console, and traces, metrics and logs by OTLP where <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> is set (the exporter reads the other
/// <c>OTEL_*</c> settings itself). Without it nobody listens, and the activities cost nothing.
/// </summary>
public static class TelemetrySetup
{
    private static readonly string[] Sources = ["AgentPlatform.*", "Microsoft.AspNetCore", "Microsoft.Orleans.Application", "Npgsql"];
    private static readonly string[] Meters = ["AgentPlatform.*", "Microsoft.AspNetCore.Hosting", "Npgsql", "Microsoft.Orleans"];

    /// <summary>Adds it to a process.</summary>
    /// <param name="builder">The process.</param>
    /// <param name="service">What the process is called in traces: <c>agentplatform-silo</c>, <c>agentplatform-api</c>.</param>
    public static void AddTelemetry(this WebApplicationBuilder builder, string service)
    {
        builder.Configuration.AddQuietLogs();
        builder.Logging.AddSimpleConsole(console =>
        {
            console.SingleLine = true;
            console.IncludeScopes = false;
            console.TimestampFormat = "yyyy-MM-ddTHH:mm:ss.fffZ ";
            console.UseUtcTimestamp = true;
        });
        if (string.IsNullOrEmpty(builder.Configuration["OTEL_EXPORTER_OTLP_ENDPOINT"]))
        {
            return;
        }
        var resource = ResourceBuilder.CreateDefault().AddService(service, serviceInstanceId: Environment.MachineName);
        builder.Logging.AddOpenTelemetry(logs =>
        {
            logs.SetResourceBuilder(resource);
            logs.IncludeScopes = true;
            logs.AddOtlpExporter();
        });
        builder.Services.AddSingleton(_ => Sdk.CreateTracerProviderBuilder().SetResourceBuilder(resource).AddSource(Sources).AddOtlpExporter().Build());
        builder.Services.AddSingleton(_ => Sdk.CreateMeterProviderBuilder().SetResourceBuilder(resource).AddMeter(Meters).AddOtlpExporter().Build());
        builder.Services.AddHostedService<TelemetryProviders>();
    }

    /// <summary>Makes the providers at start, and ends them, flushed, with the host.</summary>
    private sealed class TelemetryProviders(TracerProvider traces, MeterProvider metrics) : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken)
        {
            traces.ForceFlush();
            metrics.ForceFlush();
            return Task.CompletedTask;
        }
    }
}
