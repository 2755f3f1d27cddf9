using System.Globalization;
using AgentPlatform.Data.Texts;
using AgentPlatform.Fakes.Postgres;
using Npgsql;

namespace AgentPlatform.Data.Tests.Texts;

/// <summary>What counts as the same text, and that the database thinks so too.</summary>
public sealed class ComparableTextTests : IAsyncLifetime
{
    private TestDatabase _database = null!;

    public async Task InitializeAsync() => _database = await TestDatabase.CreateAsync();

    public async Task DisposeAsync() => await _database.DisposeAsync();

    [Theory]
    [InlineData("Café", "Cafe\u0301")]
    [InlineData("한국", "\u1112\u1161\u11ab\u1100\u116e\u11a8")]
    [InlineData("Ång", "\u212Bng")]
    [InlineData("STOP", "ｓｔｏｐ")]
    [InlineData("stop", "\u2067stop\u2069\u200f")]
    [InlineData("stop", "s\u00adt\u200bo\u2060p")]
    [InlineData("لغو", "\u202bلغو\u202c")]
    [InlineData("می‌خواهم", "میخواهم")]
    [InlineData("Anna Lee", "  anna \u00a0\u3000 LEE\t")]
    [InlineData("Straße", "STRASSE")]
    [InlineData("ẞ", "ss")]
    [InlineData("ΟΔΟΣ", "οδος")]
    [InlineData("İPTAL", "iptal")]
    [InlineData("IPTAL", "ıptal")]
    [InlineData("ﬁn", "FIN")]
    [InlineData("ᾳ", "ΑΙ")]
    [InlineData("Ꭰ", "ꭰ")]
    [InlineData("❤\ufe0f", "❤")]
    [InlineData("№ 5", "no 5")]
    public async Task Texts_that_people_take_for_the_same_are_the_same(string one, string other)
    {
        Assert.Equal(ComparableText.Of(one), ComparableText.Of(other));
        Assert.True(ComparableText.Same(one, other));
        Assert.Equal([ComparableText.Of(one), ComparableText.Of(one)], await InDatabase("comparable_text", [one, other]));
    }

    [Theory]
    [InlineData("José", "Jose")]
    [InlineData("й", "и")]
    [InlineData("が", "か")]
    [InlineData("stop", "st op")]
    [InlineData("ö", "oe")]
    public void Marks_letters_and_spaces_make_other_words(string one, string other) => Assert.NotEqual(ComparableText.Of(one), ComparableText.Of(other));

    [Theory]
    [InlineData("Stop.", "stop")]
    [InlineData("„STOP!“ 🙏🏽", "stop")]
    [InlineData("*stop*", "stop")]
    [InlineData("¡Alto!", "alto")]
    [InlineData("توقف؟", "توقف")]
    [InlineData("停止。", "停止")]
    [InlineData("रोको।", "रोको")]
    [InlineData("1\ufe0f\u20e3", "1")]
    [InlineData("stop 🇩🇪", "stop")]
    [InlineData("opt-out", "opt-out")]
    [InlineData("👍", "👍")]
    [InlineData("?", "?")]
    [InlineData("+1", "+1")]
    public async Task A_keyword_is_found_within_what_people_put_around_it(string written, string keyword)
    {
        Assert.Equal(keyword, ComparableText.Keyword(written));
        Assert.Equal([keyword], await InDatabase("comparable_keyword", [written]));
    }

    [Theory]
    [InlineData("")]
    [InlineData(" \t\u00a0\u3000")]
    [InlineData("\u200f\u2063\ufeff")]
    [InlineData("\u3164")]
    [InlineData("\u2800\u115f")]
    [InlineData("\u0001\u007f")]
    public async Task Nothing_to_be_seen_is_blank(string text)
    {
        Assert.True(ComparableText.IsBlank(text));
        Assert.Null(TypedText.Name(text));
        Assert.Equal("true", Assert.Single(await InDatabase("is_blank", [text])));
    }

    [Theory]
    [InlineData("\u202aAnna\u202c\u00a0", "Anna")]
    [InlineData("Jose\u0301 ", "José")]
    [InlineData("\ufeff❤\ufe0f", "❤\ufe0f")]
    [InlineData("علی\u200cرضا", "علی\u200cرضا")]
    public void A_line_is_kept_composed_and_without_what_lies_around_it(string typed, string kept) => Assert.Equal(kept, TypedText.Line(typed));

    [Fact]
    public async Task The_database_compares_every_character_as_this_does()
    {
        var points = Enumerable.Range(1, 0x10FFFF).Where(point => point is (< 0xD800 or > 0xDFFF) && !IsLater(point)).Select(char.ConvertFromUtf32).ToArray();
        await AssertSame(points.Where(text => CharUnicodeInfo.GetUnicodeCategory(text, 0) is not (UnicodeCategory.OtherNotAssigned or UnicodeCategory.PrivateUse)).ToArray());
    }

    [Fact]
    public async Task The_database_compares_texts_by_chance_as_this_does()
    {
        var seed = Environment.TickCount;
        var chance = new Random(seed);
        string[] parts =
        [
            "a", "Stop", "İ", "ı", "I", "i", "\u0307", "\u0301", "\u0323", "ß", "ẞ", "ς", "Σ", "ﬃ", "\u0345", "Ω", "한", "\u1161", "\u3164", "ก", "ำ", "\u200b", "\u200d", "\u200f", "\u2068", "\u00ad", "\ufe0f",
            " ", "\u00a0", "\u3000", "\u2028", "\u0085", "\t", "!", ".", "+", "。", "؟", "👨‍👩‍👧", "🇩🇪", "ﷺ", "ＡＢ", "①", "´", "¨", "Ǆ", "ǅ", "\u0001", "%", "_", "\\",
        ];
        var texts = Enumerable.Range(0, 3000).Select(_ => string.Concat(Enumerable.Range(0, chance.Next(1, 12)).Select(_ => parts[chance.Next(parts.Length)]))).ToArray();
        await AssertSame(texts, $"seed {seed}");
        // What is compared already is what it is.
        Assert.All(texts, text => Assert.Equal(ComparableText.Of(text), ComparableText.Of(ComparableText.Of(text))));
    }

    [Theory]
    [InlineData(" Ada@Example.COM\u200b", "ada@example.com")]
    [InlineData("ju\u0308rgen@Mu\u0308nchen.de", "jürgen@münchen.de")]
    [InlineData("info@XN--mnchen-3ya.de", "info@münchen.de")]
    [InlineData("\u202aO'Neil+x@example.org\u202c", "o'neil+x@example.org")]
    public async Task An_address_is_one_however_it_is_written(string typed, string kept)
    {
        Assert.Equal(kept, EmailAddress.Comparable(typed));
        Assert.Equal([kept], await InDatabase("comparable_email", [EmailAddress.Typed(typed)]));
    }

    [Fact]
    public void Addresses_that_only_look_alike_stay_apart() => Assert.NotEqual(EmailAddress.Comparable("mıke@example.com"), EmailAddress.Comparable("mike@example.com"));

    private async Task AssertSame(string[] texts, string why = "")
    {
        foreach (var (function, ours) in new (string, Func<string, string>)[]
        {
            ("comparable_text", ComparableText.Of), ("comparable_keyword", ComparableText.Keyword), ("is_blank", text => ComparableText.IsBlank(text) ? "true" : "false"),
        })
        {
            var theirs = await InDatabase(function, texts);
            var differ = texts.Zip(theirs).Where(pair => ours(pair.First) != pair.Second).Select(pair => $"{Escaped(pair.First)}: here {Escaped(ours(pair.First))}, there {Escaped(pair.Second)}").ToArray();
            Assert.True(differ.Length == 0, $"{function} {why}: {differ.Length} differ: {string.Join("; ", differ.Take(60))}");
        }
    }

    private async Task<string[]> InDatabase(string function, string[] texts)
    {
        await using var connection = new NpgsqlConnection(_database.ApiConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand($"SELECT array_agg({function}(t.given)::text ORDER BY t.place) FROM unnest($1) WITH ORDINALITY t (given, place)", connection) { Parameters = { new() { Value = texts } } };
        return (string[])(await command.ExecuteScalarAsync())!;
    }

    /// <summary>Letters of Unicode 15 and later, which have other cases or forms: the servers that are supported don't all know them, and compare them as they stand.</summary>
    private static bool IsLater(int point) => point is (>= 0x1E030 and <= 0x1E06D) or (>= 0x1C89 and <= 0x1C8A) or (>= 0xA7CB and <= 0xA7DC) or (>= 0x10D40 and <= 0x10D8F) or (>= 0x16EA0 and <= 0x16EDF);

    private static string Escaped(string text) => string.Join(' ', text.EnumerateRunes().Select(rune => rune.Value.ToString("X4", CultureInfo.InvariantCulture)));
}
