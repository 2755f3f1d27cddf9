using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using AgentPlatform.Conversations;
using AgentPlatform.Data.Json;

namespace AgentPlatform.Grains.Channels;

/// <summary>
/// The payload of an outgoing <c>interactive</c> message: <c>{"type": "buttons" | "list", "choices": [{"id", "title", "description"?}]}</c>. Titles are kept whole; connectors cut
/// them to their platform's limits when they send.
/// </summary>
public static class ChoicePayload
{
    public const string Buttons = "buttons";
    public const string List = "list";

    /// <summary>Writes the payload.</summary>
    public static string Write(string type, ImmutableArray<Choice> choices) => JsonText.WriteObject((type, choices), static (json, state) =>
    {
        json.WriteString("type", state.type);
        json.WriteStartArray("choices");
        foreach (var choice in state.choices)
        {
            json.WriteStartObject();
            json.WriteString("id", choice.Id);
            json.WriteString("title", choice.Title);
            json.WriteOptional("description", choice.Description);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    });

    /// <summary>Reads a payload; no choices when it is not one.</summary>
    public static (string Type, ImmutableArray<Choice> Choices) Read(string? payload)
    {
        if (payload is null)
        {
            return (Buttons, []);
        }

        try
        {
            using var document = JsonText.Parse(Encoding.UTF8.GetBytes(payload));
            var root = document.RootElement;
            var choices = ImmutableArray.CreateBuilder<Choice>();
            foreach (var choice in root.Items("choices"))
            {
                if (choice.Text("id") is { } id && choice.Text("title") is { } title)
                {
                    choices.Add(new Choice(id, title, choice.Text("description")));
                }
            }

            return (root.Text("type") ?? Buttons, choices.ToImmutable());
        }
        catch (JsonException)
        {
            return (Buttons, []);
        }
    }
}
