using System.Globalization;
using System.Text;

namespace AgentPlatform.Silo.Demo;

/// <summary>An article of the demo's knowledge base.</summary>
internal sealed record DemoArticle(string Key, string Language, string Title, string Category, string[] Tags, string? Summary, string Content)
{
    /// <summary>Reads the articles built into this assembly: a head of <c>name: value</c> lines between two lines of dashes, then Markdown.</summary>
    public static IEnumerable<DemoArticle> ReadAll() => DemoResources.Names().Where(name => name.EndsWith(".md", StringComparison.Ordinal)).Order(StringComparer.Ordinal).Select(name =>
    {
        var parts = DemoResources.ReadText(name).Split("---\n", 3);
        var head = parts[1].Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(": ", 2)).ToDictionary(pair => pair[0], pair => pair[1]);
        var key = name["demo/".Length..^".md".Length];
        return new DemoArticle(key, key[..2], head["title"], head["category"], head["tags"].Split(", "), head.GetValueOrDefault("summary"), parts[2].Trim());
    });

    /// <summary>For each language, an article that lists the tours to come, true on the day of loading.</summary>
    public static IEnumerable<DemoArticle> Departures(DateTimeOffset now, IReadOnlyList<(DemoTour Tour, DemoProduct Product, DateTimeOffset Start)> tours)
    {
        foreach (var words in Languages)
        {
            var culture = CultureInfo.GetCultureInfo(words.Culture);
            var text = new StringBuilder();
            text.Append("## ").AppendLine(words.Question).AppendLine(string.Format(culture, words.Intro, Day(now, culture))).AppendLine();
            foreach (var (tour, product, start) in tours.Where(tour => tour.Start > now).OrderBy(tour => tour.Start))
            {
                var places = tour.Max == tour.Booked ? words.Full : string.Format(culture, words.Places, tour.Max - tour.Booked);
                // Latin names and prices stand isolated in a line that runs from right to left.
                text.AppendLine(culture.TextInfo.IsRightToLeft
                    ? string.Create(culture, $"- {Day(start, culture)}: \u2068{product.Name}\u2069، \u2068{product.Price:0} USD\u2069، {places}")
                    : string.Create(culture, $"- {Day(start, culture)}: {product.Name}, {product.Price:0} USD, {places}"));
            }
            yield return new DemoArticle($"{words.Language}/departures", words.Language, words.Title, "Tours", words.Tags.Split(", "), null, text.ToString().TrimEnd());
        }
        foreach (var group in tours.Where(tour => tour.Start > now).GroupBy(tour => tour.Product))
        {
            var english = CultureInfo.GetCultureInfo("en-GB");
            var dates = group.OrderBy(tour => tour.Start).Select(tour => tour.Tour.Max == tour.Tour.Booked
                ? $"{Day(tour.Start, english)} (fully booked)"
                : $"{Day(tour.Start, english)} ({tour.Tour.Max - tour.Tour.Booked} places left)");
            yield return new DemoArticle($"en/departures-{group.Key.Key}", "en", $"{group.Key.Name}: next dates", "Tours", ["dates", "departures", "availability"], null,
                $"## When does the next {group.Key.Name} start?\nThe next dates of {group.Key.Name}: {string.Join("; ", dates)}. It lasts {group.Key.Days} days and costs USD {group.Key.Price:0} per person.");
        }
    }

    /// <summary>A date with its weekday, as people of that culture write it.</summary>
    public static string Day(DateTimeOffset date, CultureInfo culture) => date.ToString(culture.Name == "en-GB" ? "dddd, d MMMM yyyy" : culture.DateTimeFormat.LongDatePattern, culture);

    private sealed record Words(string Language, string Culture, string Title, string Question, string Intro, string Places, string Full, string Tags);

    private static readonly Words[] Languages =
    [
        new("en", "en-GB", "Next departures", "When do the next tours start, and which have free places?", "The next tours, as of {0}:", "{0} places left", "fully booked", "dates, departures, availability"),
        new("ru", "ru-RU", "Ближайшие туры и даты", "Когда начинаются ближайшие туры и где есть свободные места?", "Ближайшие туры на {0}:", "свободных мест: {0}", "мест нет", "даты, расписание, свободные места"),
        new("ar", "ar-AE", "مواعيد الجولات القادمة", "متى تبدأ الجولات القادمة وأين توجد أماكن شاغرة؟", "الجولات القادمة حتى تاريخ {0}:", "الأماكن الشاغرة: {0}", "مكتملة", "مواعيد, تواريخ, أماكن"),
        new("fr", "fr-FR", "Prochains départs", "Quand partent les prochains circuits et où reste-t-il des places ?", "Les prochains départs au {0} :", "places libres : {0}", "complet", "dates, départs, places"),
        new("de", "de-DE", "Nächste Termine", "Wann beginnen die nächsten Touren und wo sind noch Plätze frei?", "Die nächsten Touren, Stand {0}:", "freie Plätze: {0}", "ausgebucht", "termine, daten, plätze"),
        new("es", "es-ES", "Próximas salidas", "¿Cuándo empiezan los próximos viajes y dónde quedan plazas?", "Las próximas salidas a {0}:", "plazas libres: {0}", "completo", "fechas, salidas, plazas"),
        new("pl", "pl-PL", "Najbliższe terminy", "Kiedy zaczynają się najbliższe wycieczki i gdzie są wolne miejsca?", "Najbliższe wycieczki, stan na {0}:", "wolne miejsca: {0}", "brak miejsc", "terminy, daty, miejsca"),
    ];
}
