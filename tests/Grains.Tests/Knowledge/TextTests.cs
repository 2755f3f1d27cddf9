using AgentPlatform.Grains.Knowledge;
using AgentPlatform.Grains.Knowledge.Text;
using AgentPlatform.Grains.Llm;

namespace AgentPlatform.Grains.Tests.Knowledge;

public sealed class TextTests
{
    [Theory]
    [InlineData("How much does the tour cost?", "en")]
    [InlineData("price list please", "en")]
    [InlineData("Сколько стоит тур?", "ru")]
    [InlineData("كم سعر الرحلة؟", "ar")]
    [InlineData("Combien coûte le circuit ?", "fr")]
    [InlineData("bonjour", "fr")]
    [InlineData("Was kostet die Reise?", "de")]
    [InlineData("Guten Tag", "de")]
    [InlineData("¿Cuánto cuesta el viaje?", "es")]
    [InlineData("hola, quiero reservar para dos personas", "es")]
    [InlineData("Ile kosztuje wycieczka?", "pl")]
    [InlineData("dzień dobry", "pl")]
    [InlineData("cuanto cuesta", "es")]
    [InlineData("wie viel kostet das", "de")]
    [InlineData("ile to kosztuje", "pl")]
    [InlineData("c'est combien", "fr")]
    public void A_short_message_tells_its_language(string text, string language) => Assert.Equal(language, LanguageDetector.Detect(text));

    [Theory]
    [InlineData("")]
    [InlineData("12345 !!!")]
    [InlineData("👍")]
    [InlineData("Bishkek")]
    [InlineData("Скільки коштує їжа?")]
    [InlineData("قیمت تور چند است؟")]
    public void A_text_that_tells_none_of_the_seven_is_left_open(string text) => Assert.Null(LanguageDetector.Detect(text));

    [Theory]
    [InlineData("Ąćę ŁÓŹ Straße œuvre", "ace loz strasse oeuvre")]
    [InlineData("Ёлка, йод; МОЙ!", "елка йод мой")]
    [InlineData("إِلغَاءُ الرِّحلـة", "الغاء الرحله")]
    [InlineData("don't L’été e-mail 24/7", "dont lete e mail 24 7")]
    public void Words_are_brought_to_one_form(string text, string words) => Assert.Equal(words, string.Join(' ', WordReader.Read(text)));

    [Theory]
    [InlineData("cancel", "cancelled", "cancellation", "cancelling", "cancels")]
    [InlineData("цена", "цены", "ценой", "ценами")]
    [InlineData("туры", "тура", "туров", "турами")]
    [InlineData("поездка", "поездки", "поездку", "поездками")]
    [InlineData("Stornierung", "stornieren", "storniert")]
    [InlineData("wycieczka", "wycieczki", "wycieczkami")]
    [InlineData("الرحلة", "رحلة", "والرحلة", "للرحلة")]
    public void Forms_of_a_word_share_a_stem(params string[] forms) =>
        Assert.Single(forms.Select(form => Stemmer.Stem(WordReader.Read(form)[0])).Distinct());

    [Fact]
    public void Sentences_end_where_they_end_and_not_at_abbreviations()
    {
        var sentences = SentenceReader.Read("It costs approx. 3.5 USD, e.g. for tea. Really?! Yes…\n- One item\n2. Second item. هل هذا صحيح؟ نعم.");

        Assert.Equal(["It costs approx. 3.5 USD, e.g. for tea.", "Really?!", "Yes…", "- One item", "2. Second item.", "هل هذا صحيح؟", "نعم."], sentences);
    }

    [Fact]
    public void Chunks_stand_under_their_headings()
    {
        var chunks = Chunker.Cut("""
            Intro line.

            # Tours
            About tours.
            ## Horses
            About horses.

            More about horses.
            ## Empty

            # Money
            Do you take cards?
            Yes, all of them.
            """, 300);

        Assert.Equal(
            [(null, "Intro line."), ("Tours", "About tours."), ("Tours › Horses", "About horses.\n\nMore about horses."), ("Money › Do you take cards?", "Yes, all of them.")],
            chunks.Select(chunk => (chunk.Heading, chunk.Text)));
        Assert.Equal([0, 1, 2, 3], chunks.Select(chunk => chunk.Index));
    }

    [Theory]
    [InlineData("Latin words that go on. ")]
    [InlineData("Кириллица идёт дальше. ")]
    [InlineData("noendnospace")]
    [InlineData("漢字仮名")]
    [InlineData("👩‍👩‍👧‍👦")]
    public void No_chunk_is_longer_than_the_limit_and_nothing_is_lost(string unit)
    {
        var text = string.Concat(Enumerable.Repeat(unit, 500));

        var chunks = Chunker.Cut(text, 50);

        Assert.All(chunks, chunk => Assert.True(TokenEstimate.Of(chunk.Text) <= 50 + 2));
        Assert.Equal(text.Replace(" ", "", StringComparison.Ordinal), string.Concat(chunks.Select(chunk => chunk.Text)).Replace(" ", "", StringComparison.Ordinal).Replace("\n", "", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("")]
    [InlineData("   \n\n ")]
    public void An_empty_document_has_no_chunks(string text) => Assert.Empty(Chunker.Cut(text, 50));

    [Fact]
    public void A_document_of_headings_alone_keeps_them() => Assert.Equal("Prices", Assert.Single(Chunker.Cut("# Prices\n", 50)).Text);
}
