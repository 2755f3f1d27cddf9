namespace AgentPlatform.Grains.Channels.WhatsApp;

/// <summary>
/// The platform's list of errors by what to do about them, the same for an answer and for a receipt. Its titles change; its codes don't.
/// </summary>
internal static class WhatsAppErrorCodes
{
    /// <summary>Subcode of 100 for an object that doesn't exist, or that the token may not see: the number's id.</summary>
    private const long UnknownObject = 33;

    /// <summary>What a code means.</summary>
    public static PlatformVerdict Of(long code, long? subcode) => code switch
    {
        4 or 17 or 32 or 341 or 613 or 80007 or 80008 or 130429 => new(SendOutcome.Throttled),
        131056 => new(SendOutcome.PairThrottled),
        1 or 2 or 131000 or 131016 or 131057 or 133004 or 133016 => new(SendOutcome.Passing),

        // Everything that will be refused until somebody has mended the channel.
        0 or 102 or 104 or 190 or 2500 => Broken(ChannelTrouble.Token),
        3 or 10 or (>= 200 and <= 299) or 131005 => Broken(ChannelTrouble.Permission),
        33 or 803 => Broken(ChannelTrouble.Number),
        100 when subcode == UnknownObject => Broken(ChannelTrouble.Number),
        131045 or 133000 or 133006 or 133010 or 133015 => Broken(ChannelTrouble.Registration),
        131042 or 134011 => Broken(ChannelTrouble.Payment),
        368 or 130497 or 131031 or 133007 => Broken(ChannelTrouble.Locked),
        131037 => Broken(ChannelTrouble.Other), // the number's display name isn't approved: the platform's words say so
        131048 or 131064 => Broken(ChannelTrouble.Spam), // every further send makes it worse

        // About the person. Others of this kind (opted out of marketing, held back by the platform) are about one message: the next may arrive.
        131026 => new(SendOutcome.Unreachable, Reason: "WhatsApp can't deliver to this person: the number may not use WhatsApp, its app may be too old, or its owner hasn't accepted WhatsApp's terms."),
        131030 => new(SendOutcome.Unreachable, Reason: "The channel's number is a test number of WhatsApp, and this person isn't in its list of recipients."),
        131021 => new(SendOutcome.Unreachable, Reason: "The person's number is this channel's own number: nobody can write to oneself."),

        // This message, or our fault: the same request would fail again. Among them 131047 (the service window is closed), 131049, 131050, 131062, 130472, the templates'
        // 132xxx, media (131052, 131053), 131051, 135000, and every code that is not known yet.
        _ => new(SendOutcome.Permanent),
    };

    private static PlatformVerdict Broken(ChannelTrouble trouble) => new(SendOutcome.ChannelBroken, trouble);
}
