using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Automation;
using AgentPlatform.Api.Channels;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Resources;
using static AgentPlatform.Api.Shapes.Fields;

namespace AgentPlatform.Api.Sequences;

/// <summary>The steps of sequences.</summary>
internal static class SequenceStepResource
{
    /// <summary>What a step of a kind must have and what it may have besides.</summary>
    private static readonly (string Action, string[] Needed, string[] Possible)[] Members =
    [
        ("send_message", ["template"], []),
        ("create_task", ["taskTitle"], ["taskDescription"]),
        ("send_email", [], ["template", "emailTemplateId", "recipient"]),
        ("webhook", ["webhookUrl"], []),
        ("ai_response", ["aiPrompt"], []),
        ("wait", [], []),
    ];

    private static readonly string[] Texts = ["template", "taskTitle", "taskDescription", "aiPrompt"];

    public static readonly Resource SequenceSteps = new()
    {
        Path = "sequence-steps",
        Singular = "sequenceStep",
        Plural = "sequenceSteps",
        Table = "sequence_steps",
        Description = $"The steps of sequences, counted from 1 without gaps, at most {StepOrder.MaxSteps} in one. A step put or moved to a place pushes the others on; one taken away closes the gap.",
        Create = Role.Manager,
        Update = Role.Manager,
        Delete = Role.Manager,
        DefaultSort = "stepOrder",
        Fields =
        [
            Reference("sequenceId", "sequences").Required().Fixed().Filtered(),
            Integer("stepOrder", 1, StepOrder.MaxSteps).Sorted().About("Its place; the end unless given."),
            Integer("delayMinutes", 0, 525_600).WithDefault(0).About("How long after the step before."),
            Choice("actionType", [.. Members.Select(kind => kind.Action)]).Required().Filtered(),
            Text("template", 50_000).Nullable().About("What to say; may hold `{{client.firstName}}` and other known fields."),
            Reference("emailTemplateId", "email_templates").Nullable().About("For send_email, instead of `template`."),
            Email("recipient").Nullable().About("For send_email; null for the client's own address."),
            Url("webhookUrl").Nullable().Called(),
            Text("aiPrompt", 10_000).Nullable(),
            Text("taskTitle", 200).Nullable(),
            Text("taskDescription", 4000).Nullable(),
            Json("metadata"),
        ],
        Example = new() { ["sequenceId"] = "0196f1c0-7d00-7c3e-9a55-5f0c1b2a3d4e", ["delayMinutes"] = 1440, ["actionType"] = "send_message", ["template"] = "Do you still think of travelling, {{client.firstName}}?" },
        LockedFirst = StepOrder.HoldSequence,
        BeforeWrite = async change => (change.IsDeletion ? null : Check(change) ?? EndpointCheck.Refusal(change)) ?? await StepOrder.MakeRoom(change),
        AfterWrite = StepOrder.CloseGap,
    };

    private static Problem? Check(ResourceChange change)
    {
        var action = change.Resulting<string>("actionType")!;
        var (_, needed, possible) = Members.First(kind => kind.Action == action);
        foreach (var member in needed.Where(member => IsMissing(change, member)))
        {
            return Problem.Invalid($"/{member}", $"/{member} is required for {action}.");
        }
        foreach (var member in Members.SelectMany(kind => kind.Needed.Concat(kind.Possible)).Except(needed).Except(possible).Where(member => !IsMissing(change, member)))
        {
            return Problem.Invalid($"/{member}", $"/{member} must not be given for {action}.");
        }
        if (action == "wait" && change.Resulting<int>("delayMinutes") < 1)
        {
            return Problem.Invalid("/delayMinutes", "/delayMinutes must be at least 1 for wait.");
        }
        if (action == "send_email" && IsMissing(change, "template") == IsMissing(change, "emailTemplateId"))
        {
            return Problem.Invalid("/template", "/template or /emailTemplateId must be given for send_email, and only one of them.");
        }
        return Texts.Where(text => change.Values.Text(text) is { } given && Placeholders.FirstUnknown(given) is not null)
            .Select(text => Problem.Invalid($"/{text}", $"/{text} has a placeholder {Placeholders.FirstUnknown(change.Values.Text(text)!)} that is no known field.")).FirstOrDefault();
    }

    private static bool IsMissing(ResourceChange change, string member) =>
        change.Values.Has(member) ? change.Values.Get<object>(member) is null or "" : change.Before?.Raw(member) is null;
}
