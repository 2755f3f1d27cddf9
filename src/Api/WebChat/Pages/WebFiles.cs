using System.Collections.Frozen;
using System.IO.Compression;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Net.Http.Headers;

namespace AgentPlatform.Api.WebChat.Pages;

/// <summary>One file of <c>web/</c>, ready to be sent.</summary>
/// <param name="Content">As it is.</param>
/// <param name="Compressed">With Brotli, for browsers that take it; null where that isn't smaller.</param>
/// <param name="ContentType">With its character set.</param>
/// <param name="Tag">Of the content.</param>
internal sealed record WebFile(byte[] Content, byte[]? Compressed, string ContentType, EntityTagHeaderValue Tag);

/// <summary>
/// The files of <c>web/</c>, built into this assembly. Their address holds a version computed from all of them, so that browsers may keep them for ever and
/// still get new ones with a new build.
/// </summary>
internal sealed class WebFiles
{
    private const string Prefix = "web/";

    private readonly FrozenDictionary<string, WebFile> _files;

    public WebFiles()
    {
        var assembly = typeof(WebFiles).Assembly;
        _files = assembly.GetManifestResourceNames().Where(name => name.StartsWith(Prefix, StringComparison.Ordinal)).ToFrozenDictionary(name => name[Prefix.Length..], name =>
        {
            using var stream = assembly.GetManifestResourceStream(name)!;
            var content = new byte[stream.Length];
            stream.ReadExactly(content);
            return File(name, content);
        });
        var all = string.Join('\n', _files.OrderBy(file => file.Key, StringComparer.Ordinal).Select(file => file.Key + file.Value.Tag.Tag));
        Version = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(all)))[..12];
    }

    /// <summary>Changes with any file.</summary>
    public string Version { get; }

    /// <summary>What addresses of files begin with.</summary>
    public string Root => "/assets/" + Version;

    public WebFile? Find(string name) => _files.GetValueOrDefault(name);

    /// <summary>A page with its <c>{{name}}</c> places filled; values are HTML-encoded, except those that are HTML already.</summary>
    public string Fill(string name, IEnumerable<(string Place, string Value)> values, params IEnumerable<(string Place, string Html)> html)
    {
        var page = new StringBuilder(Encoding.UTF8.GetString(_files[name].Content));
        page.Replace("{{assets}}", Root);
        foreach (var (place, value) in html)
        {
            page.Replace("{{" + place + "}}", value);
        }
        foreach (var (place, value) in values)
        {
            // A value can't open another place.
            page.Replace("{{" + place + "}}", WebUtility.HtmlEncode(value).Replace("{{", "&#123;&#123;", StringComparison.Ordinal));
        }
        return page.ToString();
    }

    private static WebFile File(string name, byte[] content)
    {
        var type = Path.GetExtension(name) switch
        {
            ".js" => "text/javascript; charset=utf-8",
            ".css" => "text/css; charset=utf-8",
            ".svg" => "image/svg+xml",
            ".html" => "text/html; charset=utf-8",
            var other => throw new InvalidOperationException($"web/ holds a file of a kind that has no content type: {other}"),
        };
        using var compressed = new MemoryStream();
        using (var brotli = new BrotliStream(compressed, CompressionLevel.Optimal, leaveOpen: true))
        {
            brotli.Write(content);
        }
        return new WebFile(content, compressed.Length < content.Length ? compressed.ToArray() : null, type, new EntityTagHeaderValue($"\"{Convert.ToHexStringLower(SHA256.HashData(content))[..16]}\""));
    }
}
