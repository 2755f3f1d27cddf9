using System.Text.Json;
using AgentPlatform.Grains.Agents;

namespace AgentPlatform.Grains.Tests.Agents;

/// <summary>A tour company without any model, whose whole knowledge base is indexed once.</summary>
public sealed class TourCompanyFixture : IAsyncLifetime
{
    internal TestCompany Company { get; private set; } = null!;

    internal Dictionary<Guid, string> Keys { get; } = [];

    public async Task InitializeAsync()
    {
        Company = await TestCompany.CreateAsync();
        foreach (var article in TourKnowledge.Articles)
        {
            Keys[await Company.AddArticle(article.Title, article.Content, article.Language)] = article.Key;
        }

        await Company.Index();
    }

    public Task DisposeAsync() => Company.DisposeAsync().AsTask();
}

public sealed class BuiltInResponderTests(TourCompanyFixture fixture) : IClassFixture<TourCompanyFixture>
{
    [Theory]
    [InlineData("Can I get my money back if I cancel?", "en/cancel", "14 days")]
    [InlineData("hi, what happens if i need to cancel my trip", "en/cancel", "14 days")]
    [InlineData("is it possible to change the date?", "en/cancel", "7 days")]
    [InlineData("Do you take credit cards?", "en/pay", "Visa")]
    [InlineData("Do I have to pay a deposit?", "en/pay", "20 %")]
    [InlineData("How much is the weekend trip?", "en/weekend", "120 USD")]
    [InlineData("what's the price of the horse trek", "en/horse", "480 USD")]
    [InlineData("Do I need riding experience for the horse trek?", "en/horse", "ridden before")]
    [InlineData("do I need a visa if I'm from Canada?", "en/visa", "no visa")]
    [InlineData("I am vegetarian, will there be something for me to eat?", "en/food", "vegetarian")]
    [InlineData("When is the best time to come?", "en/weather", "June to September")]
    [InlineData("what should i pack", "en/pack", "jacket")]
    [InlineData("Can you pick me up from the airport?", "en/airport", "20 USD")]
    [InlineData("is travel insurance mandatory?", "en/insurance", "required")]
    [InlineData("can I bring my 8 year old kids", "en/children", "6 years")]
    [InlineData("where is your office?", "en/office", "Toktogul")]
    [InlineData("whats your phone number", "en/office", "+996")]
    [InlineData("Как отменить поездку и вернуть деньги?", "ru/cancel", "14 дней")]
    [InlineData("можно ли заплатить картой", "ru/pay", "Visa")]
    [InlineData("Сколько стоит конный тур?", "ru/horse", "480")]
    [InlineData("Я никогда не ездил верхом, нужен опыт?", "ru/horse", "опыт не нужен")]
    [InlineData("нужна ли виза гражданам России?", "ru/visa", "внутреннего паспорта")]
    [InlineData("У вас есть еда для вегетарианцев?", "ru/food", "вегетарианские")]
    [InlineData("Kann ich die Reise stornieren?", "de/cancel", "14 Tage")]
    [InlineData("Was kostet die Reittour?", "de/horse", "480")]
    [InlineData("Brauche ich als Deutscher ein Visum?", "de/visa", "kein Visum")]
    [InlineData("Est-ce que je peux être remboursé si j'annule ?", "fr/cancel", "14 jours")]
    [InlineData("Quelle est la meilleure saison pour venir ?", "fr/weather", "juin")]
    [InlineData("¿Puedo pagar con tarjeta?", "es/pay", "Visa")]
    [InlineData("¿Pueden venir mis hijos pequeños?", "es/children", "6 años")]
    [InlineData("Czy potrzebuję wizy?", "pl/visa", "60 dni")]
    [InlineData("Co mam spakować?", "pl/pack", "kurtka")]
    [InlineData("هل الطعام حلال؟", "ar/food", "حلال")]
    [InlineData("هل أحتاج إلى تأشيرة؟", "ar/visa", "ستين")]
    public async Task A_question_is_answered_from_the_article_about_it(string question, string article, string fact)
    {
        var result = await fixture.Company.Ask("> " + question);

        Assert.Equal("replied", result.Outcome);
        Assert.False(result.Escalate);
        Assert.Equal("built_in", result.Record.Responder);
        var reply = Assert.Single(result.Replies).Text!;
        var title = TourKnowledge.Articles.Single(known => known.Key == article).Title;
        Assert.True(reply.Contains(fact, StringComparison.OrdinalIgnoreCase) && reply.Contains(title, StringComparison.Ordinal), $"{question} → {reply}");
    }

    [Theory]
    [InlineData("Wie komme ich vom Flughafen zum Hotel?", "en/airport")]
    [InlineData("Brauche ich eine Versicherung?", "en/insurance")]
    [InlineData("Где находится ваш офис?", "en/office")]
    [InlineData("Какая погода летом?", "en/weather")]
    [InlineData("¿Cuánto cuesta el traslado desde el aeropuerto?", "en/airport")]
    [InlineData("Faut-il une assurance ?", "en/insurance")]
    public async Task A_question_in_another_language_finds_the_only_article_about_it(string question, string article)
    {
        var result = await fixture.Company.Ask("> " + question);

        Assert.Equal(article, CitedFirst(result));
    }

    [Theory]
    [InlineData("Do you sell bicycles?")]
    [InlineData("What is the capital of Peru?")]
    [InlineData("Is there a swimming pool at the conference centre in Osaka?")]
    [InlineData("Продаёте ли вы холодильники?")]
    [InlineData("Verkaufen Sie Fahrräder?")]
    public async Task A_question_that_no_article_is_about_goes_to_a_person(string question)
    {
        var result = await fixture.Company.Ask("> " + question);

        Assert.True(result.Outcome == "escalated", string.Join(" ", result.Replies.Select(reply => reply.Text)));
        Assert.True(result.Escalate);
        Assert.Single(result.Replies);
    }

    [Fact]
    public async Task Two_questions_in_one_message_get_both_answers()
    {
        var result = await fixture.Company.Ask("> Do you offer vegetarian food and do I need travel insurance?");

        var reply = Assert.Single(result.Replies).Text!;
        Assert.Contains("vegan", reply, StringComparison.Ordinal);
        Assert.Contains("mountain rescue", reply, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_short_question_is_understood_from_the_one_before()
    {
        var result = await fixture.Company.Ask("> Tell me about the horse trek to Song-Kul", "Four days on horseback to the alpine lake.", "> And the price?");

        Assert.Contains("480 USD", Assert.Single(result.Replies).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_record_names_the_passages_and_the_steps()
    {
        var result = await fixture.Company.Ask("> Can I pay in cash?");

        using var passages = JsonDocument.Parse(result.Record.Passages!);
        var first = passages.RootElement[0];
        Assert.Equal("Payment", first.GetProperty("title").GetString());
        Assert.True(first.GetProperty("score").GetDouble() > 0);
        Assert.Contains("cash", first.GetProperty("content").GetString(), StringComparison.Ordinal);
        Assert.Equal("en/pay", CitedFirst(result));
        using var timings = JsonDocument.Parse(result.Record.Timings!);
        Assert.True(timings.RootElement.TryGetProperty("retrieval", out _));
        Assert.Null(result.Record.Prompt);
        Assert.Equal(0, result.Record.InputTokens);
    }

    private string CitedFirst(TurnResult result)
    {
        Assert.True(result.Outcome == "replied", string.Join(" ", result.Replies.Select(reply => reply.Text)));
        var source = result.Replies[0].Text!.Split('\n')[^1];
        return TourKnowledge.Articles.First(article => source.Contains(article.Title, StringComparison.Ordinal)).Key;
    }
}
