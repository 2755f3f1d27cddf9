namespace AgentPlatform.Api.Notifications;

/// <summary>What e-mails say.</summary>
internal static class MailTexts
{
    public static string Notification(string title, string? body, Uri? console) =>
        $"""
        {title}
        {(string.IsNullOrWhiteSpace(body) ? "" : $"\n{body}\n")}
        {console}

        You get this e-mail because your notification preferences ask for it.
        """;

    public static Mail Invitation(OutgoingEmail email, string organization, string role, string? inviter, string link) => new(
        email.Id, email.To, $"Your invitation to {organization}",
        $"""
        {inviter ?? "Somebody"} invites you to {organization} as {role}.

        Accept here:
        {link}

        The link works once. If you don't know what this is about, ignore this e-mail.
        """);

    public static Mail Reset(OutgoingEmail email, string name, string link, TimeSpan lifetime) => new(
        email.Id, email.To, "Your new password",
        $"""
        Hello {name},

        set a new password here:
        {link}

        The link works once, within {lifetime.TotalMinutes:0} minutes. If you didn't ask for it, ignore this e-mail: your password stays as it is.
        """);
}
