using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Resources;
using AgentPlatform.Api.Shapes;
using static AgentPlatform.Api.Shapes.Fields;

namespace AgentPlatform.Api.Automation;

/// <summary>When something that goes by time is looked at.</summary>
internal static class Schedules
{
    /// <summary>The kind of trigger that needs one.</summary>
    public const string TimeBased = "time_based";

    private static readonly string[] Weekdays = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

    public static Field Schedule() => new Field("schedule", new VariantType(
        "every",
        ("interval", [Integer("minutes", 5, 10_080).Required()]),
        ("day",
        [
            Matching("at", "^([01][0-9]|2[0-3]):[0-5][0-9]$", "a time of day, such as 09:30", "09:30", 5).Required().About("In the organization's time zone."),
            List("weekdays", new ChoiceType(Weekdays), 7, 1).About("Every day unless given."),
        ]))).Nullable().About($"Exactly for `{TimeBased}`.");

    /// <summary>A schedule is given for what goes by time, and only for it.</summary>
    public static Problem? Check(ResourceChange change)
    {
        var isGiven = change.Values.Has("schedule") ? change.Values.Get<object>("schedule") is not null : change.Before?.Raw("schedule") is not null;
        return change.Resulting<string>("triggerType") == TimeBased == isGiven ? null : Problem.Invalid("/schedule", $"/schedule must be given for {TimeBased}, and only for it.");
    }
}
