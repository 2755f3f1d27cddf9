using Microsoft.Extensions.Configuration.Memory;

namespace AgentPlatform.Api.Hosting;

/// <summary>Log levels where nothing else is configured.</summary>
public static class QuietLogs
{
    /// <summary>
    /// A line for each request or message would cost more than the request or message itself. <c>Logging__LogLevel__Microsoft.AspNetCore=Information</c> and the like bring
    /// them back.
    /// </summary>
    public static void AddQuietLogs(this IConfigurationManager configuration) => configuration.Sources.Insert(0, new MemoryConfigurationSource
    {
        InitialData =
        [
            new("Logging:LogLevel:Microsoft.AspNetCore", "Warning"),
            // ASP.NET's line for each request without a sign-in, logged under the handler's name.
            new("Logging:LogLevel:AgentPlatform.Api.Auth.BearerHandler", "Warning"),
            new("Logging:LogLevel:System.Net.Http.HttpClient", "Warning"),
            new("Logging:LogLevel:Orleans", "Warning"),
            // Orleans places each new grain, and so each new conversation, through a pipeline of Polly's, which tells of every try.
            new("Logging:LogLevel:Polly", "Warning"),
        ],
    });
}
