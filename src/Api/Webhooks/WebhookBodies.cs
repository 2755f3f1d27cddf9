using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Limits;

namespace AgentPlatform.Api.Webhooks;

/// <summary>
/// The memory that webhook bodies may take in this process. Anybody can send one: until it is known to be authentic, a large one counts for the network that it comes from; from then on,
/// every one also counts for the organization that it is for.
/// </summary>
internal sealed class WebhookBodies(WebhookOptions options, TimeProvider clock)
{
    private readonly ByteBudget<string> _large = new(options.LargeBodyBytesOfNetwork, options.LargeBodyBytes);
    private readonly ByteBudget<Guid> _authentic = new(options.BodyBytesOfOrganization);

    /// <summary>Networks and organizations that hold any memory.</summary>
    public int Holders => _large.Count + _authentic.Count;

    /// <summary>Reads the body of a request. Dispose of it once, when it isn't needed any more.</summary>
    /// <exception cref="BadHttpRequestException">The client sent less than it announced, or too slowly.</exception>
    public ValueTask<WebhookBody> Read(HttpContext context) => WebhookBody.Read(context.Request, options, this, clock);

    /// <summary>Takes the memory of a body of more than <see cref="WebhookOptions.SmallBodyBytes"/>, before it is there.</summary>
    public bool TryTakeLarge(HttpRequest request, long bytes, out ByteBudget<string>.Loan loan) =>
        _large.TryTake(SignInThrottle.Network(request.HttpContext.Connection.RemoteIpAddress), bytes, out loan);

    /// <summary>Takes the memory of an authentic body, and of what it says; none for a body that names no organization.</summary>
    public bool TryTake(Guid? organizationId, long bytes, out ByteBudget<Guid>.Loan loan)
    {
        loan = default;
        return organizationId is not { } organization || _authentic.TryTake(organization, bytes, out loan);
    }
}
