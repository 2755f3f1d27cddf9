using System.Globalization;
using System.Text;
using AgentPlatform.Grains.Channels;

namespace AgentPlatform.Grains.Tests.Channels;

public sealed class MessageSplitterTests
{
    [Fact]
    public void A_short_text_stays_one_message() => Assert.Equal(["Hello there."], MessageSplitter.Split("  Hello there. \n", 4096).ToArray());

    [Theory]
    [InlineData("")]
    [InlineData(" \n\t ")]
    public void A_blank_text_becomes_nothing(string text) => Assert.Empty(MessageSplitter.Split(text, 10));

    [Theory]
    [InlineData("First sentence. Second one here.", 20, "First sentence.|Second one here.")]
    [InlineData("Why not? Because it rains!", 18, "Why not?|Because it rains!")]
    [InlineData("Он пришёл домой. Она ушла гулять.", 22, "Он пришёл домой.|Она ушла гулять.")]
    [InlineData("هل أنت بخير؟ نعم أنا بخير.", 18, "هل أنت بخير؟|نعم أنا بخير.")]
    [InlineData("آپ کیسے ہیں۔ میں ٹھیک ہوں۔", 16, "آپ کیسے ہیں۔|میں ٹھیک ہوں۔")]
    [InlineData("今天天气很好。我们去公园吧！你来吗？", 10, "今天天气很好。|我们去公园吧！|你来吗？")]
    [InlineData("今日は晴れです。明日は雨です。", 10, "今日は晴れです。|明日は雨です。")]
    [InlineData("यह पहला वाक्य है। यह दूसरा है।", 22, "यह पहला वाक्य है।|यह दूसरा है।")]
    [InlineData("He said \"Stop.\" Then he left us.", 20, "He said \"Stop.\"|Then he left us.")]
    [InlineData("Wait... Really? Yes, really so.", 18, "Wait... Really?|Yes, really so.")]
    public void A_long_text_is_cut_where_a_sentence_ends(string text, int maxLength, string parts) => Assert.Equal(parts.Split('|'), MessageSplitter.Split(text, maxLength).ToArray());

    [Theory]
    [InlineData("It costs 3.50 euros or even more", 24)]
    [InlineData("Ask our J. Smith about that trip now", 20)]
    [InlineData("See example.com for all of the details", 20)]
    [InlineData("We have tea, e.g. green tea and more", 26)]
    [InlineData("Это т. е. самое главное для всех нас", 22)]
    public void A_full_stop_that_ends_no_sentence_is_no_place_to_cut(string text, int maxLength)
    {
        var first = MessageSplitter.Split(text, maxLength)[0];

        Assert.False(first.EndsWith('.'), first);
        Assert.Equal(' ', text[first.Length]);
    }

    [Fact]
    public void A_list_number_stays_with_its_item() =>
        Assert.Equal(["Choose one of:", "1. Tea with milk", "2. Coffee black"], MessageSplitter.Split("Choose one of:\n1. Tea with milk\n2. Coffee black", 18).ToArray());

    [Fact]
    public void A_paragraph_is_a_better_place_than_a_sentence() =>
        Assert.Equal(["One. Two.", "Three. Four. Five."], MessageSplitter.Split("One. Two.\n\nThree. Four. Five.", 18).ToArray());

    [Fact]
    public void An_early_sentence_end_does_not_make_a_tiny_message()
    {
        var parts = MessageSplitter.Split("Hi. " + string.Join(' ', Enumerable.Repeat("word", 30)), 60);

        Assert.True(parts[0].Length > 30, parts[0]);
    }

    [Fact]
    public void A_word_longer_than_a_message_is_cut_between_characters()
    {
        var family = "👨‍👩‍👧‍👦";
        var parts = MessageSplitter.Split(string.Concat(Enumerable.Repeat(family, 9)), 30);

        Assert.All(parts, part => Assert.True(part.Length <= 30 && part.Replace(family, "", StringComparison.Ordinal).Length == 0, part));
    }

    [Fact]
    public void A_character_longer_than_a_message_is_cut_all_the_same()
    {
        var monster = "a" + new string('\u0301', 50);

        Assert.Equal(monster, string.Concat(MessageSplitter.Split(monster, 8)));
    }

    [Fact]
    public void No_break_spaces_hold_words_together() =>
        Assert.Equal(["This costs", "10\u00A0000\u00A0euros."], MessageSplitter.Split("This costs 10\u00A0000\u00A0euros.", 20).ToArray());

    [Fact]
    public void Whatever_the_text_the_parts_fit_and_nothing_is_lost()
    {
        var seed = Environment.TickCount;
        var random = new Random(seed);
        for (var round = 0; round < 3000; round++)
        {
            var text = RandomText(random);
            var maxLength = random.Next(2, 200);
            var parts = MessageSplitter.Split(text, maxLength);
            var context = $"Seed {seed}, round {round}, limit {maxLength}: {text}";

            Assert.All(parts, part =>
            {
                Assert.True(part.Length <= maxLength && part.Length > 0 && part.Trim() == part, context);
                Assert.True(Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(part)) == part, context); // no half of a surrogate pair
            });
            Assert.True(WithoutSpace(string.Concat(parts)) == WithoutSpace(text), context);
            var longest = GraphemeLengths(text).DefaultIfEmpty().Max();
            if (longest <= maxLength && !text.Contains('\u0301', StringComparison.Ordinal))
            {
                Assert.True(parts.Sum(part => GraphemeLengths(WithoutSpace(part)).Count()) == GraphemeLengths(WithoutSpace(string.Join('\n', parts))).Count(), context);
            }
        }
    }

    private static IEnumerable<int> GraphemeLengths(string text)
    {
        var elements = StringInfo.GetTextElementEnumerator(text);
        while (elements.MoveNext())
        {
            yield return elements.GetTextElement().Length;
        }
    }

    private static string WithoutSpace(string text) => string.Concat(text.Where(c => !char.IsWhiteSpace(c)));

    private static string RandomText(Random random)
    {
        string[] pieces = [" ", "\n", "\n\n", ". ", "! ", "? ", "…", "。", "؟ ", "word", "слово", "كلمة", "单词", "😀", "👍🏽", "👨‍👩‍👧", "e\u0301", "\u00A0", "1.", "a", ",", "\"", "https://example.com/a.b?c=d"];
        var text = new StringBuilder();
        for (var i = random.Next(80); i > 0; i--)
        {
            text.Append(pieces[random.Next(pieces.Length)]);
        }

        return text.ToString();
    }
}
