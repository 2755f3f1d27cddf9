using AgentPlatform.Fakes;

namespace AgentPlatform.Grains.Tests.Agents;

/// <summary>The demo organization's articles, as a newcomer meets them in the chat.</summary>
public sealed class DemoKnowledgeFixture : IAsyncLifetime
{
    internal TestCompany Company { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        Company = await TestCompany.CreateAsync();
        foreach (var path in Directory.EnumerateFiles(Path.Combine(RepositoryRoot.Path, "src", "Silo", "Demo", "articles"), "*.md", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            var parts = (await File.ReadAllTextAsync(path)).Split("---\n", 3);
            var head = parts[1].Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(": ", 2)).ToDictionary(pair => pair[0], pair => pair[1]);
            await Company.AddArticle(head["title"], parts[2].Trim(), new FileInfo(path).Directory!.Name, tags: head["tags"].Split(", "));
        }

        await Company.Index();
    }

    public Task DisposeAsync() => Company.DisposeAsync().AsTask();
}

public sealed class DemoQuestionsTests(DemoKnowledgeFixture fixture) : IClassFixture<DemoKnowledgeFixture>
{
    [Theory]
    [InlineData("What tours do you have?", "Weekend Getaway (2 days")]
    [InlineData("what tours do you offer", "Weekend Getaway (2 days")]
    [InlineData("How much is the weekend getaway?", "USD 180")]
    [InlineData("how much does the horse trek cost", "USD 520")]
    [InlineData("price of the song kul horse trek?", "USD 520")]
    [InlineData("Do I need to know how to ride a horse?", "calm")]
    [InlineData("I can't ride. Can I still join the horse trek?", "calm")]
    [InlineData("What is included in the price?", "transport")]
    [InlineData("Do you have discounts for children?", "70 %")]
    [InlineData("How can I pay?", "Mastercard")]
    [InlineData("do you accept credit cards", "Mastercard")]
    [InlineData("how do i book", "48 hours")]
    [InlineData("Can I cancel my booking and get a refund?", "30 days")]
    [InlineData("what's your cancellation policy", "30 days")]
    [InlineData("Can I change the date of my trip?", "free until 14 days")]
    [InlineData("Do I need a visa?", "60 days")]
    [InlineData("I'm from Germany, do I need a visa for Kyrgyzstan?", "60 days")]
    [InlineData("can you send me an invitation letter", "free of charge")]
    [InlineData("How do I get from the airport to the city?", "USD 25")]
    [InlineData("Do you pick up from the airport?", "USD 25")]
    [InlineData("When is the best time to visit?", "mid-June")]
    [InlineData("how cold is it at song kul at night", "0 to 5")]
    [InlineData("What should I bring?", "warm jacket")]
    [InlineData("can I rent a sleeping bag", "USD 5 a day")]
    [InlineData("Is the food halal?", "halal")]
    [InlineData("I'm vegan, is that a problem?", "gluten-free")]
    [InlineData("Do I need travel insurance?", "mountain rescue")]
    [InlineData("Is it safe for women travelling alone?", "hospitable")]
    [InlineData("is there wifi on the tour", "SIM card")]
    [InlineData("Which languages do your guides speak?", "English and Russian")]
    [InlineData("how many people are in a group", "3 to 12")]
    [InlineData("Where is your office?", "Ala-Too")]
    [InlineData("what are your opening hours", "9:00 to 19:00")]
    [InlineData("are there ATMs", "Visa and Mastercard")]
    [InlineData("Какие туры у вас есть?", "Weekend Getaway (2 дня")]
    [InlineData("Сколько стоит конный поход?", "520")]
    [InlineData("что входит в стоимость", "гид")]
    [InlineData("есть скидки детям?", "70 %")]
    [InlineData("Как забронировать?", "48 часов")]
    [InlineData("можно оплатить картой?", "Mastercard")]
    [InlineData("Могу ли я отменить бронь?", "30")]
    [InlineData("нужна виза?", "без визы")]
    [InlineData("как добраться из аэропорта в Бишкек", "25 долларов")]
    [InlineData("Какая погода на Сон-Куле?", "12–20")]
    [InlineData("что брать с собой в поход", "куртку")]
    [InlineData("еда халяль?", "Мясо халяльное")]
    [InlineData("Was kosten die Touren?", "180")]
    [InlineData("Wie kann ich bezahlen?", "Mastercard")]
    [InlineData("kann ich stornieren?", "30 Tage")]
    [InlineData("Brauche ich ein Visum?", "60 Tage")]
    [InlineData("Wie komme ich vom Flughafen in die Stadt?", "25 USD")]
    [InlineData("Gibt es veganes Essen?", "glutenfrei")]
    [InlineData("Ist eine Reiseversicherung Pflicht?", "Pflicht")]
    [InlineData("Quels circuits proposez-vous ?", "Weekend Getaway (2 jours")]
    [InlineData("Combien coûte la randonnée à cheval ?", "520 USD")]
    [InlineData("Puis-je payer par carte ?", "Mastercard")]
    [InlineData("Comment annuler ma réservation ?", "30 jours")]
    [InlineData("¿Necesito visado?", "visado")]
    [InlineData("¿Hay comida vegana?", "gluten")]
    [InlineData("¿Cómo llego desde el aeropuerto?", "25 USD")]
    [InlineData("¿Cuándo es la mejor época para ir?", "mediados de junio")]
    [InlineData("Ile kosztują wycieczki?", "180")]
    [InlineData("Jak mogę zapłacić?", "Kartą Visa")]
    [InlineData("Czy mogę zrezygnować?", "30 dni")]
    [InlineData("Jak zarezerwować?", "48 godzin")]
    [InlineData("كيف أحجز؟", "48 ساعة")]
    [InlineData("هل الطعام حلال؟", "حلال")]
    [InlineData("هل أحتاج إلى فيزا؟", "60 يوم")]
    [InlineData("كيف أدفع؟", "فيزا")]
    [InlineData("ما هو أفضل وقت للسفر؟", "يونيو")]
    public async Task A_newcomers_question_is_answered(string question, string fact)
    {
        var result = await fixture.Company.Ask("> " + question);

        var reply = Assert.Single(result.Replies).Text!;
        Assert.True(result.Outcome == "replied" && reply.Contains(fact, StringComparison.OrdinalIgnoreCase), $"{question} → {reply}");
    }

    [Theory]
    [InlineData("Do you rent scooters in Bali?")]
    [InlineData("What's the meaning of life?")]
    [InlineData("Who won the football match yesterday?")]
    [InlineData("Можно ли у вас купить квартиру?")]
    [InlineData("Wie repariere ich mein Fahrrad?")]
    [InlineData("¿Quién es el presidente de Francia?")]
    public async Task A_question_about_something_else_is_not(string question)
    {
        var result = await fixture.Company.Ask("> " + question);

        Assert.True(result.Outcome == "escalated", $"{question} → {result.Replies[0].Text}");
    }
}
