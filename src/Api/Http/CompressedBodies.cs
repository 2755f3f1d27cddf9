using AgentPlatform.Api.Problems;
using Microsoft.AspNetCore.RequestDecompression;

namespace AgentPlatform.Api.Http;

/// <summary>Bodies that are compressed on the way (RFC 9110, 8.4): unpacked where the coding is known; else refused with the codings that are known (15.5.16, 12.5.3).</summary>
internal static class CompressedBodies
{
    public const string Codings = "gzip, br, deflate";

    public static void AddCompressedBodies(this IServiceCollection services) => services.AddRequestDecompression(options =>
    {
        options.DecompressionProviders["gzip"] = options.DecompressionProviders["x-gzip"] = new Provider(static body => new GzipBody(body));
        options.DecompressionProviders["br"] = new Provider(static body => new BrotliBody(new PackedBody(body)));
        options.DecompressionProviders["deflate"] = new Provider(static body => new DeflateBody(new PackedBody(body)));
    });

    public static void UseCompressedBodies(this IApplicationBuilder app)
    {
        app.Use(static (context, next) =>
        {
            if (IsCompressed(context.Request))
            {
                // It is the length of what came, not of what whoever reads the body gets.
                context.Request.ContentLength = null;
            }
            return next(context);
        });
        app.UseRequestDecompression();
        app.RefuseCompressedBodies(Codings);
    }

    /// <summary>Refuses what is still compressed; for routes that read bytes as they came, such as signed ones, that is all of it.</summary>
    public static void RefuseCompressedBodies(this IApplicationBuilder app, string codings) => app.Use(async (context, next) =>
    {
        if (!IsCompressed(context.Request))
        {
            await next(context);
            return;
        }
        context.Response.Headers.AcceptEncoding = codings;
        await new Problem(ProblemType.UnsupportedMediaType, $"The body's Content-Encoding must be one of: {codings}.").ExecuteAsync(context);
    });

    private static bool IsCompressed(HttpRequest request) =>
        request.Headers.ContentEncoding.ToString() is { Length: > 0 } coding && !coding.Equals("identity", StringComparison.OrdinalIgnoreCase);

    private sealed class Provider(Func<Stream, Stream> unpack) : IDecompressionProvider
    {
        public Stream GetDecompressionStream(Stream stream) => unpack(stream);
    }
}
