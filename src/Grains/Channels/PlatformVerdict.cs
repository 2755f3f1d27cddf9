namespace AgentPlatform.Grains.Channels;

/// <summary>An error as a platform names it: in its answer to a send, or later in a receipt.</summary>
/// <param name="Code">Its code; null where it gave none.</param>
/// <param name="Subcode">What narrows the code down, where the platform has such a thing.</param>
/// <param name="Text">Its own words.</param>
public readonly record struct PlatformError(string? Code, string? Subcode = null, string? Text = null);

/// <summary>What an error means, whenever it is told.</summary>
/// <param name="Trouble">For <see cref="SendOutcome.ChannelBroken"/>: what people can do about it.</param>
/// <param name="Reason">For <see cref="SendOutcome.Unreachable"/>: why the person can't be written to, in plain words.</param>
public readonly record struct PlatformVerdict(SendOutcome Outcome, ChannelTrouble Trouble = ChannelTrouble.Other, string? Reason = null);

/// <summary>Why a platform refuses a channel, by what people have to do about it.</summary>
public enum ChannelTrouble
{
    /// <summary>Something else: the platform's own words must do.</summary>
    Other,

    /// <summary>The access token is missing, wrong, expired or revoked.</summary>
    Token,

    /// <summary>The token lacks the right to send.</summary>
    Permission,

    /// <summary>The platform doesn't know the number, or doesn't show it to this token.</summary>
    Number,

    /// <summary>The number isn't registered (any more).</summary>
    Registration,

    /// <summary>Something about the payment.</summary>
    Payment,

    /// <summary>The account is locked or restricted.</summary>
    Locked,

    /// <summary>People reported the number's messages.</summary>
    Spam,
}

/// <summary>What to do about a trouble, for the channel's <c>brokenReason</c> and for notifications.</summary>
internal static class ChannelAdvice
{
    /// <summary>Longest reason that a channel shows, in characters.</summary>
    public const int MaxReasonLength = 1000;

    /// <summary>The reason as the channel shows it: what the platform says, then what to do.</summary>
    public static string Reason(string said, ChannelTrouble trouble)
    {
        var advice = Advice(trouble);
        var most = MaxReasonLength - advice.Length - 1;
        said = said.Length <= most ? said : said[..(char.IsHighSurrogate(said[most - 2]) ? most - 2 : most - 1)] + "…";
        return $"{said}{(said.EndsWith('.') || said.EndsWith('…') ? "" : ".")} {advice}";
    }

    /// <summary>What to do, in English.</summary>
    public static string Advice(ChannelTrouble trouble) => trouble switch
    {
        ChannelTrouble.Token => "Put in a new access token.",
        ChannelTrouble.Permission => "Give the access token the right to send messages, or put in one that has it.",
        ChannelTrouble.Number => "Check the number's id and that the access token may use it.",
        ChannelTrouble.Registration => "Register the number with the platform again, then save the channel.",
        ChannelTrouble.Payment => "Settle the payment in the platform's billing, then save the channel.",
        ChannelTrouble.Locked => "Ask the platform to review the account, then save the channel.",
        ChannelTrouble.Spam => "Look at the number's quality in the platform's manager and send less, then save the channel.",
        _ => "Mend what the platform names, then save the channel.",
    };

    /// <summary>The notification's text (see <c>notification_title</c>).</summary>
    public static string TextName(ChannelTrouble trouble) => trouble switch
    {
        ChannelTrouble.Token => "channelToken",
        ChannelTrouble.Permission => "channelPermission",
        ChannelTrouble.Number => "channelNumber",
        ChannelTrouble.Registration => "channelRegistration",
        ChannelTrouble.Payment => "channelPayment",
        ChannelTrouble.Locked => "channelLocked",
        ChannelTrouble.Spam => "channelSpam",
        _ => "channelBroken",
    };
}
