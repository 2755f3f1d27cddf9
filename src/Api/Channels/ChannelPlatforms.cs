using System.Collections.Immutable;
using AgentPlatform.Api.Shapes;
using AgentPlatform.Data.Channels;
using static AgentPlatform.Api.Shapes.Fields;

namespace AgentPlatform.Api.Channels;

/// <summary>What each platform needs to be connected.</summary>
/// <param name="Name">Value of <c>channels.platform</c>.</param>
/// <param name="Credentials">Credentials that must be set.</param>
/// <param name="NeedsPlatformId">The platform's own id of the account must be given.</param>
/// <param name="TakesBaseUrl">Its API has a base URL that can be replaced.</param>
internal sealed record ChannelPlatform(string Name, ImmutableArray<string> Credentials, bool NeedsPlatformId, bool TakesBaseUrl);

internal static class ChannelPlatforms
{
    public static readonly ImmutableArray<ChannelPlatform> All =
    [
        new("whatsapp", [CredentialNames.AppSecret, CredentialNames.VerifyToken, CredentialNames.AccessToken], NeedsPlatformId: true, TakesBaseUrl: true),
        new("telegram", [CredentialNames.BotToken, CredentialNames.SecretToken], NeedsPlatformId: false, TakesBaseUrl: true),
        new("web", [], NeedsPlatformId: false, TakesBaseUrl: false),
    ];

    public static readonly string[] Names = [.. All.Select(platform => platform.Name)];

    public static readonly ImmutableArray<Field> CredentialFields =
    [
        Secret(CredentialNames.AppSecret, "WhatsApp: signs webhooks."),
        Verbatim(CredentialNames.VerifyToken, 4096).About("WhatsApp: what the platform says when it verifies the webhook's address."),
        Secret(CredentialNames.AccessToken, "WhatsApp: for sending."),
        Secret(CredentialNames.BotToken, "Telegram: the bot's token."),
        Matching(CredentialNames.SecretToken, "^[A-Za-z0-9_-]{1,256}$", "1 to 256 of A-Z a-z 0-9 _ -", "a-long-random-text", 256).About("Telegram: authenticates webhooks."),
    ];

    public static readonly ImmutableArray<Field> SettingFields =
    [
        Url("apiBaseUrl").Nullable().Called().About("The platform's API, where it isn't the platform's own: a gateway, an emulator."),
        Number("sendRatePerSecond", 0.01m, 1000, 2).Nullable().About("Messages a second; null for the platform's default."),
        Choice("onLateMessage", "hand_over", "answer", "leave").Nullable().About("What becomes of a message that is delivered long after it was written: people see to it (`hand_over`, the default), the AI answers it as far as the platform's window allows (`answer`), or it waits unread (`leave`)."),
        Integer("lateAfterMinutes", 1, 43_200).Nullable().About("From which age on a message is late; null for 720, twelve hours."),
        Flag("answersGroups").Nullable().About("Whether agents answer in groups, in the group itself; null for yes on Telegram and no on WhatsApp. Nobody in a group is answered in private."),
    ];

    public static ChannelPlatform Find(string name) => All.First(platform => platform.Name == name);

    private static Field Secret(string name, string about) => HeaderSecret(name).About(about);
}
