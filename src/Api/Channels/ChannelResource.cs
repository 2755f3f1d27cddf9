using System.Text.Json.Nodes;
using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Resources;
using AgentPlatform.Api.Shapes;
using AgentPlatform.Data.Channels;
using AgentPlatform.Data.Secrets;
using static AgentPlatform.Api.Shapes.Fields;

namespace AgentPlatform.Api.Channels;

/// <summary>Connected accounts on platforms.</summary>
internal static class ChannelResource
{
    public static readonly Resource Channels = new()
    {
        Path = "channels",
        KnownBy = ["name"],
        Singular = "channel",
        Plural = "channels",
        Table = "channels",
        Description = "Connected accounts on platforms. Credentials go in and never come out: `credentialsSet` names those that are set.",
        Create = Role.Admin,
        Update = Role.Admin,
        Delete = Role.Admin,
        Fields =
        [
            Name("name").Required().Sorted().Searched(),
            Choice("platform", ChannelPlatforms.Names).Required().Fixed().Filtered(),
            Text("platformChannelId", 200).Nullable().Named().Searched().About("What the platform calls the account: WhatsApp's phone number id. Required for WhatsApp; taken from the token for Telegram; not used for web."),
            Reference("agentId", "agents").Nullable().Filtered().About("Who answers while its status is `active`; null for the organization's default agent."),
            Object("credentials", [.. ChannelPlatforms.CredentialFields]).Secret().About("WhatsApp: appSecret, verifyToken, accessToken. Telegram: botToken, secretToken. In a change, what isn't named stays."),
            new Field("credentialsSet", new TextListType(10, new TextType(50))) { Access = FieldAccess.ReadOnly, Column = "credentials", Render = RenderCredentialNames, Description = "Names of the credentials that are set." },
            Object("settings", [.. ChannelPlatforms.SettingFields]).About("In a change, what isn't named stays, and null removes."),
            Uuid("answeringAgentId").Nullable().ReadOnly().About("Who answers as things stand: the channel's own agent, or the organization's default one. Null where nobody does.")
                with { Expression = Answer("agent_id") },
            Choice("notAnsweredCode", NotAnswered.Codes).Nullable().ReadOnly().About("Why nobody answers; null where somebody does.") with { Expression = Answer("not_answered_code") },
            Text("notAnsweredReason", 500).Nullable().ReadOnly().About("The same in plain words.")
                with { Expression = Answer("not_answered_code"), Render = static (json, code, _) => json.WriteStringValue(code is string known ? NotAnswered.Describe(known) : null) },
            Flag("isActive").WithDefault(true).Filtered().About("Off: webhooks are refused and nothing is sent."),
            Flag("isBotActive").WithDefault(true).About("Off: no agent answers in this channel."),
            Text("aiModel", 200).Nullable().About("The model that answers in this channel, by its provider's name for it; null for the agent's."),
            Number("aiTemperature", 0, 2, 1).Nullable().About("Null for the agent's."),
            Text("brokenReason", 2000).Nullable().ReadOnly().About("Why the platform refuses the channel; cleared by a change."),
            Timestamp("brokenAt").Nullable().ReadOnly(),
        ],
        Example = new()
        {
            ["name"] = "WhatsApp",
            ["platform"] = "whatsapp",
            ["platformChannelId"] = "106540352242922",
            ["credentials"] = new JsonObject { ["appSecret"] = "app secret", ["verifyToken"] = "a word of yours", ["accessToken"] = "token" },
            ["settings"] = new JsonObject { ["apiBaseUrl"] = "https://graph.facebook.com" },
        },
        Uniques = [new("platform_channel_is_connected_once", "platformChannelId", "This account is connected already.")],
        Checks = [new("agent_of_another_channel_is_not_named", "agentId", "/agentId names an agent that belongs to another channel.")],
        BeforeWrite = ChannelRules.Check,
        AfterWrite = ChannelRules.AddWidget,
    };

    private static string Answer(string column) => $"(SELECT answer.{column} FROM channel_answer(t.organization_id, t.agent_id, t.is_active, t.is_bot_active) answer)";

    private static void RenderCredentialNames(System.Text.Json.Utf8JsonWriter json, object value, FieldReadContext context)
    {
        json.WriteStartArray();
        foreach (var name in context.Services.GetRequiredService<SecretBox>().OpenCredentials(context.OrganizationId, value as string).Keys.Order(StringComparer.Ordinal))
        {
            json.WriteStringValue(name);
        }
        json.WriteEndArray();
    }
}
