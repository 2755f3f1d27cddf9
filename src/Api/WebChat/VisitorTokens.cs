using System.Globalization;
using AgentPlatform.Api.Auth;

namespace AgentPlatform.Api.WebChat;

/// <summary>A visitor of one channel, known from the token.</summary>
internal readonly record struct Visitor(Guid ChannelId, Guid Id)
{
    /// <summary>The name under which the channel knows the person: the visitor's id in 32 hexadecimal digits.</summary>
    public string Identity => Id.ToString("N");
}

/// <summary>A visitor who has shown a token that ends then.</summary>
internal readonly record struct VisitorSession(Visitor Visitor, DateTimeOffset End);

/// <summary>Tokens of visitors: signed, for one channel and one visitor, of an audience of their own, so that they open nothing else.</summary>
internal sealed class VisitorTokens(TokenSigner signer, WebChatOptions options, TimeProvider clock)
{
    private const string Audience = "agentplatform-visitor";

    /// <summary>A token and the moment when it ends.</summary>
    public (string Token, DateTimeOffset ExpiresAt) Make(Visitor visitor)
    {
        var end = clock.GetUtcNow() + options.VisitorTokenLifetime;
        KeyValuePair<string, string>[] claims =
        [
            new("chn", visitor.ChannelId.ToString("N")), new("sub", visitor.Identity), new("end", end.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture)),
        ];
        return (signer.Sign(Audience, options.VisitorTokenLifetime, claims), end);
    }

    /// <summary>The visitor of a genuine token for that channel; null for any other.</summary>
    public VisitorSession? Read(string? token, Guid channelId) =>
        !string.IsNullOrEmpty(token)
        && signer.Verify(token, Audience) is { } claims
        && Guid.TryParseExact(claims.GetValueOrDefault("chn"), "N", out var channel) && channel == channelId
        && Guid.TryParseExact(claims.GetValueOrDefault("sub"), "N", out var id)
        && long.TryParse(claims.GetValueOrDefault("end"), NumberStyles.None, CultureInfo.InvariantCulture, out var end)
            ? new VisitorSession(new Visitor(channelId, id), DateTimeOffset.FromUnixTimeSeconds(end))
            : null;
}
