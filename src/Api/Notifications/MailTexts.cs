using System.Collections.Immutable;
using System.Globalization;

namespace AgentPlatform.Api.Notifications;

/// <summary>What e-mails say, in the language of whoever gets them; in English where there is no file of that language.</summary>
internal static class MailTexts
{
    public static Mail Notification(OutgoingEmail email, Uri? console)
    {
        var language = MailLanguage.Of(email.Locale);
        var title = language.Title(email.Subject is { Length: > 0 } said ? said : "News");
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
        var language = MailLanguage.Of(email.Locale);
        return new(
            email.Id, email.To, Fill(language.InvitationSubject, organization),
            Fill(language.InvitationBody, inviter ?? language.Somebody, organization, language.Roles.GetValueOrDefault(role, role), link));
    }

    public static Mail Reset(OutgoingEmail email, string name, string link, TimeSpan lifetime)
    {
        var language = MailLanguage.Of(email.Locale);
        return new(email.Id, email.To, language.ResetSubject, Fill(language.ResetBody, name, link, lifetime.TotalMinutes.ToString("0", CultureInfo.InvariantCulture)));
    }

    /// <summary>Puts values into <c>{0}</c>, <c>{1}</c> …; what they say is text, whatever it looks like.</summary>
    internal static string Fill(string text, params ImmutableArray<string> values) => string.Format(CultureInfo.InvariantCulture, text, values.Cast<object>().ToArray());
}
