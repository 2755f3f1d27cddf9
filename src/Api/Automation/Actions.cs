using System.Collections.Immutable;
using System.Text.Json;
using AgentPlatform.Api.Shapes;
using static AgentPlatform.Api.Shapes.Fields;

namespace AgentPlatform.Api.Automation;

/// <summary>What rules and workflows can do: each kind with its members.</summary>
internal static class Actions
{
    /// <summary>Most actions of one rule.</summary>
    public const int MaxActions = 20;

    /// <summary>Members that may hold placeholders.</summary>
    private static readonly string[] Texts = ["text", "title", "description", "prompt"];

    public static readonly ImmutableArray<(string Kind, Field[] Fields)> All =
    [
        ("send_message", [Prose("text", 4096).Required().About("May hold `{{client.firstName}}` and other known fields.")]),
        ("send_email", [Reference("emailTemplateId", "email_templates").Required(), Email("recipient").Nullable().About("Null: the client's own address.")]),
        ("create_task",
        [
            Name("title").Required(), Text("description", 4000), Integer("dueInMinutes", 0, 525_600), Choice("priority", "low", "medium", "high", "urgent").WithDefault("medium"),
            Reference("assigneeId", "users").Nullable(),
        ]),
        ("webhook", [Url("webhookUrl").Required().Called()]),
        ("ai_response", [Prose("prompt", 10_000).Required().About("What the agent is to say or find out.")]),
        ("set_field", [Choice("field", KnownFields.Writable).Required(), AnyJson("value").Required()]),
        ("add_tag", [Name("tag", 100).Required()]),
        ("remove_tag", [Name("tag", 100).Required()]),
        ("assign", [Reference("assigneeId", "users").Nullable().Required().About("Null: to nobody.")]),
        ("hand_over", [Text("reason", 1000)]),
        ("enable_ai", []),
        ("disable_ai", []),
        ("mute_contact", []),
        ("block_contact", []),
        ("start_sequence", [Reference("sequenceId", "sequences").Required()]),
        ("stop_sequence", [Reference("sequenceId", "sequences").Required()]),
        ("notify", [Prose("text", 1000).Required(), Reference("userId", "users").Nullable().About("Null: whoever the conversation is assigned to.")]),
    ];

    /// <summary>One action of a rule.</summary>
    public static readonly VariantType Type = new("type", [.. All]) { Check = CheckValue };

    /// <summary>A <c>set_field</c> carries a value that the field can hold; texts have placeholders of known fields only.</summary>
    public static void CheckValue(ShapeValues action, string pointer, Violations violations)
    {
        foreach (var member in Texts)
        {
            if (action.Text(member) is { } text && Placeholders.FirstUnknown(text) is { } unknown)
            {
                violations.Add($"{pointer}/{member}", $"has a placeholder {unknown} that is no known field.");
            }
        }
        if (action.Text("field") is { } field && action.Text("value") is { } value)
        {
            using var json = JsonDocument.Parse(value);
            KnownFields.Type(field).Read(json.RootElement, $"{pointer}/value", violations);
        }
    }
}
