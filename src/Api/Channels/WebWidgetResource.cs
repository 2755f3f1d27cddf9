using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Resources;
using static AgentPlatform.Api.Shapes.Fields;

namespace AgentPlatform.Api.Channels;

/// <summary>How the chat widget of a web channel looks and where it may be shown.</summary>
internal static class WebWidgetResource
{
    public static readonly Resource WebWidgets = new()
    {
        Path = "web-widgets",
        Singular = "webWidget",
        Plural = "webWidgets",
        Table = "web_widgets",
        KeyColumn = "channel_id",
        KeyField = "channelId",
        Description = "How the chat widget of a web channel looks and where it may be shown. The id is the channel's; a web channel is made with one.",
        Create = Role.Admin,
        Update = Role.Admin,
        Delete = Role.Admin,
        Fields =
        [
            Reference("channelId", "channels").Required().Fixed(),
            Matching("primaryColor", "^#[0-9A-Fa-f]{6}$", "a colour such as #3B82F6", "#3B82F6", 7).WithDefault("#3B82F6"),
            Choice("position", "bottom-right", "bottom-left").WithDefault("bottom-right"),
            Text("welcomeMessage", 2000).Nullable(),
            Tags("allowedDomains", 100, 253).About("Hosts whose pages may show the widget; empty for any."),
        ],
        Uniques = [new("web_widgets_pkey", "channelId", "The channel has a widget.")],
        BeforeWrite = async change => !change.IsCreation || await change.Session.ScalarAsync<bool>(
            "SELECT true FROM channels WHERE id = $1 AND platform = 'web'", change.Request.Cancelled, change.Id)
                ? null
                : Problem.Invalid("/channelId", "/channelId must name a web channel."),
    };
}
