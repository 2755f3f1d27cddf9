namespace AgentPlatform.Silo.Demo;

/// <summary>Dates of the demo's tours, counted from the day on which it is loaded, so that it never looks old.</summary>
internal static class DemoCalendar
{
    /// <summary>
    /// The start of a tour: moved to its product's weekday, and out of the months in which it doesn't run (a tour to come further into the
    /// future, one that is over further into the past), at 03:00 UTC, which is 09:00 in Bishkek.
    /// </summary>
    private static DateTimeOffset Start(DateTimeOffset now, DemoTour tour, DemoProduct product)
    {
        var step = tour.StartsIn < 0 ? -1 : 1;
        var date = now.UtcDateTime.Date.AddDays(tour.StartsIn);
        while ((product.Weekday is { } weekday && date.DayOfWeek != weekday) || (product.Season is { } season && !season.Contains(date.Month)))
        {
            date = date.AddDays(step);
        }
        return new DateTimeOffset(date, TimeSpan.Zero).AddHours(3);
    }

    /// <summary>The starts of all tours: two of one product that fall on the same day are a week apart.</summary>
    public static List<(DemoTour Tour, DemoProduct Product, DateTimeOffset Start)> Plan(DateTimeOffset now, DemoCatalogue catalogue)
    {
        var products = catalogue.Products.ToDictionary(product => product.Key);
        var taken = new HashSet<(string, DateTimeOffset)>();
        return [.. catalogue.Tours.Select(tour =>
        {
            var start = Start(now, tour, products[tour.Product]);
            while (!taken.Add((tour.Product, start)))
            {
                start = start.AddDays(tour.StartsIn < 0 ? -7 : 7);
            }
            return (tour, products[tour.Product], start);
        })];
    }

    /// <summary>The end: the evening of the last day in Bishkek, 12:00 UTC.</summary>
    public static DateTimeOffset End(DateTimeOffset start, DemoProduct product) => start.AddDays(product.Days - 1).AddHours(9);
}
