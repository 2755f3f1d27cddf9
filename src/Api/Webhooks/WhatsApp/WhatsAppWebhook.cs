using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using AgentPlatform.Api.Problems;
using AgentPlatform.Data.Channels;
using AgentPlatform.Data.Json;

namespace AgentPlatform.Api.Webhooks.WhatsApp;

/// <summary>
/// Takes webhooks of the WhatsApp Cloud API, at an address for one channel or for all channels of an app. Every event goes to the channel that its
/// <c>phone_number_id</c> names, and only if the body's signature holds under that very channel's secret.
/// </summary>
internal sealed partial class WhatsAppWebhook(
    IGrainFactory grains, IChannelDirectory channels, IPlatformCredentials credentials, WebhookOptions options, WebhookBodies bodies, ILogger<WhatsAppWebhook> logger)
{
    private const string Platform = "whatsapp";
    private const int MaxChallengeLength = 256;

    /// <summary>Apps whose secret is tried on a body that names no number of ours, as far as <see cref="SignatureTrials"/> go, and the size up to which that is done: a stranger must not make us hash much.</summary>
    private const int MaxSecretsTried = 1000;
    private const int MaxAccountNewsBytes = 64 * 1024;

    /// <summary>Most numbers of one body whose events are taken; the platform sends those of one.</summary>
    private const int MaxNumbersOfBody = 100;


    /// <summary>POST to a channel's own address.</summary>
    public async Task ReceiveForChannel(HttpContext context)
    {
        try
        {
            if (await Addressed(context) is not { } channel)
            {
                await Webhook.Refuse(context, Platform, ProblemType.NotFound, "There is no such WhatsApp channel.");
                return;
            }

            if (WhatsAppSignature.KeyOf(channel) is not { } key)
            {
                await Webhook.Refuse(context, Platform, WebhookProblems.NoSecret);
                return;
            }

            using var body = await bodies.Read(context);
            if (body.Refusal is { } refusal)
            {
                await Webhook.Refuse(context, Platform, refusal);
            }
            else if (!WhatsAppSignature.Verify(body.Bytes.Span, Signature(context), key))
            {
                await Webhook.Refuse(context, Platform, WebhookProblems.NotAuthentic);
            }
            else if (!channel.IsActive)
            {
                await Webhook.Refuse(context, Platform, WebhookProblems.Inactive);
            }
            else
            {
                await Store(context, body.Bytes, channel, key, channel.OrganizationId);
            }
        }
        catch (Exception failure) when (Webhook.IsAnswerable(context, failure))
        {
            await Webhook.Answer(context, Platform, failure, options, logger);
        }
    }

    /// <summary>POST to the address of an app.</summary>
    public async Task ReceiveForApp(HttpContext context)
    {
        try
        {
            using var body = await bodies.Read(context);
            if (body.Refusal is { } refusal)
            {
                await Webhook.Refuse(context, Platform, refusal);
                return;
            }

            var (key, isKnown, organizationId) = await FindKey(body.Bytes, Signature(context), CancellationToken.None);
            if (key is not null)
            {
                await Store(context, body.Bytes, null, key, organizationId);
            }
            else if (isKnown)
            {
                await Webhook.Refuse(context, Platform, WebhookProblems.NotAuthentic);
            }
            else
            {
                await Webhook.Refuse(context, Platform, ProblemType.NotFound, "The body names no phone number that is connected here.");
            }
        }
        catch (Exception failure) when (Webhook.IsAnswerable(context, failure))
        {
            await Webhook.Answer(context, Platform, failure, options, logger);
        }
    }

    /// <summary>GET: the handshake, by which the platform makes sure that we expect its webhooks.</summary>
    public async Task Verify(HttpContext context)
    {
        try
        {
            var query = context.Request.Query;
            var challenge = query["hub.challenge"].ToString();
            bool isExpected;
            if (context.Request.RouteValues.ContainsKey("channelId"))
            {
                if (await Addressed(context) is not { } channel)
                {
                    await Webhook.Refuse(context, Platform, ProblemType.NotFound, "There is no such WhatsApp channel.");
                    return;
                }

                isExpected = channel.Credentials.GetValueOrDefault(CredentialNames.VerifyToken) is { Length: > 0 } token && Webhook.IsSecret(query["hub.verify_token"], token);
            }
            else
            {
                isExpected = false;
                foreach (var token in await credentials.FindAll(Platform, CredentialNames.VerifyToken, context.RequestAborted))
                {
                    isExpected |= Webhook.IsSecret(query["hub.verify_token"], token);
                }
            }

            if (!isExpected || query["hub.mode"] != "subscribe")
            {
                await Webhook.Refuse(context, Platform, WebhookProblems.NotVerified);
                return;
            }

            if (challenge.Length is 0 or > MaxChallengeLength)
            {
                await Webhook.Refuse(context, Platform, ProblemType.Validation, $"hub.challenge must have 1 to {MaxChallengeLength} characters.");
                return;
            }

            context.Response.ContentType = "text/plain";
            context.Response.Headers.XContentTypeOptions = "nosniff";
            await context.Response.Body.WriteAsync(Encoding.UTF8.GetBytes(challenge), context.RequestAborted);
        }
        catch (Exception failure) when (Webhook.IsAnswerable(context, failure))
        {
            await Webhook.Answer(context, Platform, failure, options, logger);
        }
    }

    private async ValueTask<ChannelSettings?> Addressed(HttpContext context) =>
        Guid.TryParse(context.Request.RouteValues["channelId"] as string, out var id)
        && await channels.Find(id, CancellationToken.None) is { Platform: Platform } channel ? channel : null;

    private static string NameOf(ChannelSettings? addressed) => addressed?.Id.ToString() ?? "(address of the whole app)";

    private static string? Signature(HttpContext context) => context.Request.Headers[WhatsAppSignature.Header];

    /// <summary>
    /// The secret under which the signature holds: that of a channel whose number the body names, with its organization, else (news about an account names no number) of any channel.
    /// </summary>
    private async ValueTask<(byte[]? Key, bool IsKnown, Guid? OrganizationId)> FindKey(ReadOnlyMemory<byte> body, string? signature, CancellationToken cancellationToken)
    {
        var isKnown = false;
        string? last = null;
        var trials = new SignatureTrials(body, signature);
        for (int position = 0, tried = 0; tried < options.MaxNumbersTried && WhatsAppNumbers.Next(body.Span, ref position) is { } number;)
        {
            if (number == last)
            {
                continue;
            }

            last = number;
            tried++;
            foreach (var id in await channels.FindByPlatformId(Platform, number, cancellationToken))
            {
                if (await channels.Find(id, cancellationToken) is { } channel && WhatsAppSignature.KeyOf(channel) is { } key)
                {
                    isKnown = true;
                    if (trials.Holds(key))
                    {
                        return (key, true, channel.OrganizationId);
                    }
                }
            }
        }

        if (!isKnown && signature is not null && body.Length <= MaxAccountNewsBytes)
        {
            foreach (var secret in (await credentials.FindAll(Platform, CredentialNames.AppSecret, cancellationToken)).Take(MaxSecretsTried))
            {
                var key = Encoding.UTF8.GetBytes(secret);
                if (trials.Holds(key))
                {
                    return (key, true, null);
                }
            }
        }

        return (null, isKnown, null);
    }

    /// <summary>The body is authentic under <paramref name="key"/>, which the organization has; null for news about an account.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask Store(HttpContext context, ReadOnlyMemory<byte> body, ChannelSettings? addressed, byte[] key, Guid? organizationId)
    {
        if (!bodies.TryTake(organizationId, body.Length, out var memory))
        {
            await Webhook.Refuse(context, Platform, WebhookProblems.TooManyOfOrganization(options));
            return;
        }

        using var taken = memory;
        if (!Utf8.IsValid(body.Span))
        {
            await Webhook.Refuse(context, Platform, ProblemType.MalformedBody, "The body is not valid UTF-8.");
            return;
        }

        WhatsAppEvents parsed;
        try
        {
            parsed = WhatsAppParser.Parse(body.Span);
        }
        catch (Exception malformed) when (malformed is JsonException or WhatsAppFormatException)
        {
            var reason = malformed is JsonException json ? JsonText.Describe(json) : malformed.Message;
            LogMalformed(NameOf(addressed), reason);
            await Webhook.Refuse(context, Platform, ProblemType.MalformedBody, reason);
            return;
        }

        var events = new InboundEvents();
        List<string>? ignored = null;
        string? lastNumber = null;
        ChannelSettings? lastChannel = null;
        var known = new Dictionary<string, ChannelSettings?>(StringComparer.Ordinal);
        var trials = new SignatureTrials(body, Signature(context));
        for (var i = 0; i < parsed.Count; i++)
        {
            var number = parsed[i].PhoneNumberId;
            if (i == 0 || number != lastNumber)
            {
                if (!known.TryGetValue(number ?? "", out lastChannel))
                {
                    lastChannel = known.Count < MaxNumbersOfBody ? await Route(number, addressed, key, trials, CancellationToken.None) : null;
                    known[number ?? ""] = lastChannel;
                }
                lastNumber = number;
            }

            if (lastChannel is null)
            {
                (ignored ??= []).Add($"{parsed[i].Message?.PlatformMessageId ?? $"{parsed[i].Receipt!.Status} {parsed[i].Receipt!.PlatformMessageId}"} for number {number ?? "none"}");
            }
            else if (parsed[i].Message is { } message)
            {
                events.Add(lastChannel, parsed[i].Contact, message);
            }
            else
            {
                events.Add(lastChannel, parsed[i].Receipt!);
            }
        }

        if (ignored is not null || parsed.Unattributable > 0 || parsed.PlatformErrors is not null)
        {
            LogLeftOut(NameOf(addressed), WebhookLog.Names(ignored ?? []), parsed.Unattributable, parsed.PlatformErrors is null ? "none" : string.Join(' ', parsed.PlatformErrors));
        }

        await Webhook.Commit(context, Platform, events, grains);
    }

    /// <summary>The channel that a number's events go to; null when there is none, it is switched off, or the body is not signed with its secret.</summary>
    private async ValueTask<ChannelSettings?> Route(
        string? number, ChannelSettings? addressed, byte[] key, SignatureTrials trials, CancellationToken cancellationToken)
    {
        if (addressed is not null && (number is null || addressed.PlatformChannelId is null || addressed.PlatformChannelId == number))
        {
            return addressed;
        }

        if (number is null or { Length: > WhatsAppNumbers.MaxLength })
        {
            return null;
        }

        foreach (var id in await channels.FindByPlatformId(Platform, number, cancellationToken))
        {
            if (await channels.Find(id, cancellationToken) is { IsActive: true } channel && WhatsAppSignature.KeyOf(channel) is { } own
                && (own.AsSpan().SequenceEqual(key) || trials.Holds(own)))
            {
                return channel;
            }
        }

        return null;
    }

    [LoggerMessage(3111, LogLevel.Warning, "An authentic webhook of WhatsApp channel {Channel} is malformed and was refused: {Reason}")]
    private partial void LogMalformed(string channel, string reason);

    [LoggerMessage(3112, LogLevel.Warning, "A webhook of WhatsApp channel {Channel} held events that were left out: not connected or not signed for: {Ignored}; {Unattributable} that name nobody, or no message; errors of the platform: {Codes}")]
    private partial void LogLeftOut(string channel, string ignored, int unattributable, string codes);
}
