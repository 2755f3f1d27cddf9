using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Resources;
using static AgentPlatform.Api.Shapes.Fields;

namespace AgentPlatform.Api.Channels;

/// <summary>The lines of WhatsApp channels.</summary>
internal static class WhatsAppSessionResource
{
    public static readonly Resource WhatsAppSessions = new()
    {
        Path = "whatsapp-sessions",
        Singular = "whatsappSession",
        Plural = "whatsappSessions",
        Table = "whatsapp_sessions",
        Description = "The lines of WhatsApp channels, one for each channel. With WhatsApp's own API it follows the channel by itself; a gateway that links a line by QR code reports its state here.",
        // Whoever can scan the code can put a line of their own in its place.
        Read = Role.Admin,
        Update = Role.Admin,
        Fields =
        [
            Reference("channelId", "channels").ReadOnly().Filtered(),
            Choice("status", "connecting", "connected", "disconnected", "error").Filtered(),
            Text("qrCode", 10_000).Nullable().About("For a person to scan, while connecting; gone afterwards."),
            Text("errorMessage", 2000).Nullable().About("Required for `error`, and only there."),
            Timestamp("lastConnectedAt").Nullable().ReadOnly(),
            Timestamp("lastDisconnectedAt").Nullable().ReadOnly(),
        ],
        Checks = [new("session_connects_before_it_is_connected", "status", "/status must be connecting before it is connected.", IsAboutState: true)],
        BeforeWrite = change => Task.FromResult(Check(change)),
    };

    private static Problem? Check(ResourceChange change)
    {
        var status = change.Resulting<string>("status");
        if (change.Values.Text("qrCode") is not null && status != "connecting")
        {
            return Problem.Invalid("/qrCode", "/qrCode can be given while connecting only.");
        }
        var error = change.Values.Has("errorMessage") ? change.Values.Text("errorMessage") : status == "error" ? change.Before?.Get<string>("errorMessage") : null;
        return status == "error" == !string.IsNullOrEmpty(error) ? null : Problem.Invalid("/errorMessage", "/errorMessage must be given for error, and only for it.");
    }
}
