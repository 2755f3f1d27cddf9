using System.Globalization;

namespace AgentPlatform.Api.Notifications;

/// <summary>What e-mails say, in the language of whoever gets them; in English where there is no file of that language.</summary>
internal static class MailTexts
{
    public static Mail Notification(OutgoingEmail email, Uri? console)
    {
        var language = ReaderLanguage.Of(email.Locale);
        var title = language.Title(email.TextName, email.TextValues) ?? (email.Subject is { Length: > 0 } said ? said : "News");
        return new(
            email.Id, email.To, title,
            $"""
            {title}
            {(string.IsNullOrWhiteSpace(email.Body) ? "" : $"\n{email.Body}\n")}
            {console}

            {language.Footer}
            """);
    }

    public static Mail Invitation(OutgoingEmail email, string organization, string role, string? inviter, string link)
    {
        var language = ReaderLanguage.Of(email.Locale);
        return new(
            email.Id, email.To, language.Fill(language.InvitationSubject, organization),
            language.Fill(language.InvitationBody, inviter, organization, role, link));
    }

    public static Mail Reset(OutgoingEmail email, string name, string link, TimeSpan lifetime)
    {
        var language = ReaderLanguage.Of(email.Locale);
        return new(email.Id, email.To, language.ResetSubject, language.Fill(language.ResetBody, name, link, lifetime.TotalMinutes.ToString("0", CultureInfo.InvariantCulture)));
    }
}
