using System.Globalization;
using System.Text.Json;
using AgentPlatform.Data.Json;

namespace AgentPlatform.Grains.Channels.WhatsApp;

/// <summary>What to do about an answer of the Graph API: decided by its error's code, and by the HTTP status where there is none.</summary>
internal static class WhatsAppErrors
{
    /// <summary>Reads an answer to a send.</summary>
    /// <param name="attempt">Which try this was, from 1.</param>
    public static SendResult Read(int status, ReadOnlySpan<byte> body, TimeSpan? retryAfter, int attempt, TimeSpan longestPairWait)
    {
        if (!PlatformJson.TryParseObject(body, out var document))
        {
            return status is >= 200 and < 300
                ? new SendResult(SendOutcome.Doubtful, ErrorCode: "answer_unreadable", Error: "The platform accepted the message but its answer can't be read.")
                : WithoutCode(status, retryAfter);
        }

        using (document)
        {
            var root = document.RootElement;
            if (root.Object("error") is { } error)
            {
                return Failed(error, status, retryAfter, attempt, longestPairWait);
            }

            if (status is < 200 or >= 300)
            {
                return WithoutCode(status, retryAfter);
            }

            return root.TryGetProperty("messages", out var messages) && messages.ValueKind == JsonValueKind.Array
                && messages.GetArrayLength() > 0 && messages[0].ValueKind == JsonValueKind.Object && messages[0].Text("id") is { Length: > 0 } id
                ? new SendResult(SendOutcome.Sent, id)
                : new SendResult(SendOutcome.Doubtful, ErrorCode: "answer_unreadable", Error: "The platform accepted the message but did not name it.");
        }
    }

    /// <summary>What an error means that a receipt tells. A code that is no number, or none at all, says nothing about the channel or the person.</summary>
    public static PlatformVerdict Judge(in PlatformError error) =>
        long.TryParse(error.Code, NumberStyles.None, CultureInfo.InvariantCulture, out var code)
            ? WhatsAppErrorCodes.Of(code, long.TryParse(error.Subcode, NumberStyles.None, CultureInfo.InvariantCulture, out var subcode) ? subcode : null)
            : new PlatformVerdict(SendOutcome.Permanent);

    private static SendResult Failed(JsonElement error, int status, TimeSpan? retryAfter, int attempt, TimeSpan longestPairWait)
    {
        if (error.Whole("code") is not (>= 0 and var code))
        {
            return WithoutCode(status, retryAfter);
        }

        var verdict = WhatsAppErrorCodes.Of(code, error.Whole("error_subcode"));
        var outcome = verdict.Outcome;
        if (outcome == SendOutcome.Permanent && status >= 500)
        {
            outcome = SendOutcome.Passing; // a code that we don't know, and the platform says that the fault is its own
        }

        var wait = outcome == SendOutcome.PairThrottled ? Longer(retryAfter, PairWait(attempt, longestPairWait)) : retryAfter;
        return new SendResult(outcome, ErrorCode: code.ToString(CultureInfo.InvariantCulture), Error: Describe(error), RetryAfter: wait) { Trouble = verdict.Trouble, Reason = verdict.Reason };
    }

    /// <summary>4ⁿ seconds, n counting the tries that failed before this one.</summary>
    private static TimeSpan PairWait(int attempt, TimeSpan longest)
    {
        var wait = TimeSpan.FromSeconds(Math.Pow(4, Math.Clamp(attempt - 1, 0, 10)));
        return wait < longest ? wait : longest;
    }

    private static TimeSpan Longer(TimeSpan? asked, TimeSpan own) => asked > own ? asked.Value : own;

    private static SendResult WithoutCode(int status, TimeSpan? retryAfter)
    {
        var outcome = status switch
        {
            401 or 403 => SendOutcome.ChannelBroken,
            429 => SendOutcome.Throttled,
            502 or 504 => SendOutcome.Doubtful, // a gateway gave up on the platform, which may have accepted it
            408 or >= 500 => SendOutcome.Passing,
            _ => SendOutcome.Permanent,
        };
        return new SendResult(outcome, ErrorCode: $"http_{status}", Error: $"The platform answered {status}.", RetryAfter: retryAfter) { Trouble = status == 401 ? ChannelTrouble.Token : ChannelTrouble.Permission };
    }

    private static string Describe(JsonElement error)
    {
        var message = error.Text("message");
        var details = error.Object("error_data")?.Text("details");
        return message is null || details is null ? message ?? details ?? "The platform gave no reason." : $"{message}: {details}";
    }
}
