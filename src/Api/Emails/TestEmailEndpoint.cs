using AgentPlatform.Api.ActivityLogs;
using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Operations;
using AgentPlatform.Api.Problems;
using static AgentPlatform.Api.Shapes.Fields;

namespace AgentPlatform.Api.Emails;

/// <summary>An e-mail to oneself, to see what the mail server says.</summary>
internal static class TestEmailEndpoint
{
    private static readonly Operation TestOperation = new()
    {
        Id = "sendTestEmail",
        WaitsForOthers = true,
        Tag = "outgoing emails",
        Role = Role.Admin,
        NeedsPerson = true,
        Summary = "Send a test e-mail to yourself",
        Description = "Hands an e-mail to your own address over to the mail server and waits for the answer, past all that waits. A failure is an answer too: it says what the server said, or what is missing in the settings.",
        Body = new(),
        IsBodyRequired = false,
        Answer = new(AnyEmail("to"), Flag("isSent").About("The mail server took it."), Text("answer", 1000).About("What the mail server said, or why it could not be asked.")),
        AnswerName = "TestEmail",
    };

    public static void MapTestEmail(IEndpointRouteBuilder routes) => routes.MapOperation("POST", $"/v1/{OutgoingEmailResource.OutgoingEmails.Path}/test", TestOperation, Send);

    private static async Task<IResult> Send(OperationRequest request)
    {
        var caller = request.Caller;
        if (await request.Service<AccountThrottle>().TestEmail(caller.OrganizationId, request.Cancelled) is var wait && wait > TimeSpan.Zero)
        {
            return new Problem(ProblemType.TooManyRequests, $"Too many test e-mails ({AccountThrottle.MaxTestEmails} in {AccountThrottle.TestEmailWindow.TotalMinutes} minutes).") { RetryAfter = wait };
        }
        var (to, locale) = await request.InTransaction(async session =>
        {
            await using var row = await session.QueryAsync("SELECT email, locale FROM users WHERE id = $1", request.Cancelled, caller.UserId);
            await row.ReadAsync(request.Cancelled);
            return (row.GetString(0), row.GetString(1));
        });
        var (isSent, answer) = await Try(request, to, locale);
        await request.InTransaction(async session =>
        {
            await request.Service<ActivityLog>().WriteAsync(
                session, caller, "email.tested", "user", caller.UserId, null, ActivityLog.Members(("to", to), ("isSent", isSent), ("answer", answer)), [], request.Cancelled);
            await session.CommitAsync(request.Cancelled);
            return true;
        });
        return JsonAnswer.Of(json =>
        {
            json.WriteString("to", to);
            json.WriteBoolean("isSent", isSent);
            json.WriteString("answer", answer);
        });
    }

    private static async Task<(bool IsSent, string Answer)> Try(OperationRequest request, string to, string locale)
    {
        if (!request.Service<MailOptions>().IsConfigured)
        {
            return (false, "SMTP_HOST is not set: this installation sends no e-mail.");
        }
        try
        {
            await using var connection = request.Service<MailServer>().Connect();
            return (true, await connection.Send(MailTexts.Test(Data.Uuid.New(request.Service<TimeProvider>()), to, locale), request.Cancelled));
        }
        catch (MailFailedException failure)
        {
            return (false, failure.Message);
        }
    }
}
