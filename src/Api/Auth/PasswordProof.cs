using AgentPlatform.Api.Operations;
using AgentPlatform.Api.Problems;

namespace AgentPlatform.Api.Auth;

/// <summary>Asks for a known person's password, with the same counting of failures as sign-in.</summary>
internal static class PasswordProof
{
    /// <summary>Null when the password is the hash's.</summary>
    public static async Task<Problem?> Refuse(OperationRequest request, string email, string? hash, string password)
    {
        var address = request.Http.Connection.RemoteIpAddress;
        var throttle = request.Service<SignInThrottle>();
        using var turn = await throttle.InTurn(email, address, request.Cancelled);
        if (turn is null)
        {
            return Passwords.Busy();
        }
        if (await throttle.Wait(email, address, request.Cancelled) is var wait && wait > TimeSpan.Zero)
        {
            return SignInThrottle.Refusal(wait);
        }
        switch ((await request.Service<Passwords>().Check(Passwords.Who(request), hash, password, request.Cancelled)).Outcome)
        {
            case PasswordOutcome.Busy:
                return Passwords.Busy();
            case PasswordOutcome.Wrong:
                await throttle.Failed(email, address, request.Cancelled);
                return new Problem(ProblemType.InvalidCredentials);
            default:
                await throttle.Succeeded(email, address, request.Cancelled);
                return null;
        }
    }
}
