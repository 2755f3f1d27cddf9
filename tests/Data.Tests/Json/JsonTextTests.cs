using System.Text;
using System.Text.Json;
using AgentPlatform.Data.Json;

namespace AgentPlatform.Data.Tests.Json;

public sealed class JsonTextTests
{
    [Theory]
    [InlineData("\"plain\"", "plain")]
    [InlineData("\"caf\\u00e9 \\ud83d\\ude00 \\n\\t\\\"\\\\\\/\\b\\f\\r\"", "café 😀 \n\t\"\\/\b\f\r")]
    [InlineData("\"a\\u0000b\"", "ab")]
    [InlineData("\"\\ud83d\"", "\uFFFD")]
    [InlineData("\"\\ude00\\ud83d\"", "\uFFFD\uFFFD")]
    [InlineData("12.50", "12.50")]
    [InlineData("true", null)]
    public void Texts_are_read_as_they_can_be_stored(string json, string? text)
    {
        var reader = new Utf8JsonReader(Encoding.UTF8.GetBytes(json));
        reader.Read();

        Assert.Equal(text, JsonText.Read(ref reader));
    }

    [Fact]
    public void Long_escaped_texts_are_read_whole()
    {
        var text = string.Concat(Enumerable.Repeat("añ😀\n", 5000));
        var reader = new Utf8JsonReader(JsonSerializer.SerializeToUtf8Bytes(text));
        reader.Read();

        Assert.Equal(text, JsonText.Read(ref reader));
    }

    [Fact]
    public void Names_with_half_a_surrogate_pair_are_compared_without_an_error()
    {
        var reader = new Utf8JsonReader("""{"\ud800":1,"\u0069d":2}"""u8);
        reader.Read();
        reader.Read();
        Assert.False(reader.Is("id"u8));
        reader.Skip();
        reader.Read();
        Assert.True(reader.Is("id"u8));
    }

    [Fact]
    public void A_parsed_document_holds_nothing_that_cannot_be_stored()
    {
        using var document = JsonText.Parse("""{"a\ud800":"\u0000x","id":["\udfff"],"n":1.5e3,"t":true,"z":null}"""u8);

        Assert.Equal("x", document.RootElement.Text("a\uFFFD"));
        Assert.Equal("\uFFFD", Assert.Single(document.RootElement.Items("id")).GetString());
        Assert.Equal(1500, document.RootElement.GetProperty("n").GetDouble());
    }

    [Theory]
    [InlineData("{} {}")]
    [InlineData("""{"a":"\ud800"} x""")]
    [InlineData("{")]
    [InlineData("")]
    public void What_is_not_one_value_is_refused(string json) => Assert.ThrowsAny<JsonException>(() => JsonText.Parse(Encoding.UTF8.GetBytes(json)));

    [Fact]
    public void Numbers_beyond_what_jsonb_takes_are_kept_as_text()
    {
        using var document = JsonText.Parse("""{"a":1e400000,"b":123456789012345678901234567890,"c":-0.25}"""u8);

        Assert.Equal("""{"raw":{"a":"1e400000","b":123456789012345678901234567890,"c":-0.25}}""", JsonText.WriteObject(document.RootElement, static (json, root) => json.WriteCopy("raw", root)));
    }

    [Fact]
    public void Cutting_never_leaves_half_of_a_surrogate_pair()
    {
        Assert.Equal("ab", JsonText.Cut("ab😀", 3));
        Assert.Equal("ab😀", JsonText.Cut("ab😀", 4));
    }

    [Theory]
    [InlineData("1750000000", true)]
    [InlineData("-1", false)]
    [InlineData("0", false)]
    [InlineData("5000000000", false)] // 2128
    [InlineData("253402300799", false)] // the last second of the year 9999
    [InlineData("9223372036854775807", false)]
    [InlineData("99999999999999999999", false)]
    [InlineData("soon", false)]
    [InlineData(null, false)]
    public void Moments_out_of_range_are_no_moments(string? seconds, bool isMoment) => Assert.Equal(isMoment, JsonText.UnixTime(seconds) is not null);

    [Theory]
    [InlineData("1750000000")]
    [InlineData("1750000000123")]
    [InlineData("1750000000123456")]
    [InlineData("1750000000123456789")]
    public void Moments_in_smaller_units_are_told_by_their_size(string number) => Assert.Equal(DateTimeOffset.FromUnixTimeSeconds(1_750_000_000), JsonText.UnixTime(number));
}
