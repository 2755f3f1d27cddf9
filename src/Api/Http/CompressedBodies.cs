using AgentPlatform.Api.Problems;

namespace AgentPlatform.Api.Http;

/// <summary>Bodies that are compressed on the way (RFC 9110, 8.4): unpacked by ASP.NET where it knows the coding; else refused with the codings that are known (15.5.16, 12.5.3).</summary>
internal static class CompressedBodies
{
    public const string Codings = "gzip, br, deflate";

    public static void UseCompressedBodies(this IApplicationBuilder app)
    {
        app.UseRequestDecompression();
        app.RefuseCompressedBodies(Codings);
    }

    /// <summary>Refuses what is still compressed; for routes that read bytes as they came, such as signed ones, that is all of it.</summary>
    public static void RefuseCompressedBodies(this IApplicationBuilder app, string codings) => app.Use(async (context, next) =>
    {
        var coding = context.Request.Headers.ContentEncoding.ToString();
        if (coding.Length == 0 || coding.Equals("identity", StringComparison.OrdinalIgnoreCase))
        {
            await next(context);
            return;
        }
        context.Response.Headers.AcceptEncoding = codings;
        await new Problem(ProblemType.UnsupportedMediaType, $"The body's Content-Encoding must be one of: {codings}.").ExecuteAsync(context);
    });
}
