using System.Buffers;
using System.Net.Http.Headers;
using AgentPlatform.Data.Texts;

namespace AgentPlatform.Data.Files;

/// <summary>What a file is called and said to be, as it may be sent in a header: whoever gives it may have written anything.</summary>
public static class FileLabels
{
    /// <summary>The media type of what says nothing that could be kept.</summary>
    public const string NoType = "application/octet-stream";

    private static readonly SearchValues<char> Printable = SearchValues.Create([.. Enumerable.Range(0x20, 0x7F - 0x20).Select(static code => (char)code)]);

    /// <summary>A media type as it is kept; null for what is none, is longer than <see cref="FileLimits.MaxNameLength"/>, or holds what a header can't.</summary>
    public static string? MediaType(string? given) =>
        MediaTypeHeaderValue.TryParse(given, out var type) && type.ToString() is { Length: <= FileLimits.MaxNameLength } kept && !kept.AsSpan().ContainsAnyExcept(Printable) ? kept : null;

    /// <summary>A file's name without folders, on one line; null where nothing is left.</summary>
    public static string? Name(string? given) =>
        TypedText.Name(given?[(given.AsSpan().LastIndexOfAny('/', '\\') + 1)..], FileLimits.MaxNameLength) is { } name && name.Trim('.', ' ').Length > 0 ? name : null;
}
