namespace AgentPlatform.Api.Operations;

/// <summary>A page of a list: <c>{items, nextCursor}</c>; <c>nextCursor</c> is null on the last one.</summary>
internal static class Page
{
    public static JsonAnswer Of(IEnumerable<ReadOnlyMemory<byte>> items, string? nextCursor) => JsonAnswer.Of(json =>
    {
        json.WriteStartArray("items");
        foreach (var item in items)
        {
            json.WriteRawValue(item.Span, skipInputValidation: true);
        }
        json.WriteEndArray();
        json.WriteString("nextCursor", nextCursor);
    });
}
