using System.Collections.Frozen;
using System.Globalization;
using AgentPlatform.Api.Notifications;
using AgentPlatform.Data.Texts;

namespace AgentPlatform.Api.Emails;

/// <summary>What e-mails say, in the language of whoever gets them; in English where there is no file of that language. Names in them are harmless (<see cref="MailedName"/>).</summary>
internal static class MailTexts
{
    /// <summary>Texts with the name of a customer, which the customer chose on his platform.</summary>
    private static readonly FrozenSet<string> OfCustomers = FrozenSet.Create(StringComparer.Ordinal, "needsPerson", "conversationYours", "messageFailed");

    public static Mail Notification(OutgoingEmail email, Uri? console)
    {
        var language = ReaderLanguage.Of(email.Locale);
        var title = language.Title(email.TextName, email.TextValues is { } values ? [.. values.Select(Named)] : null) ?? (email.Subject is { Length: > 0 } said ? MailedName.Harmless(said) : "News");
        return new(
            email.Id, email.To, title,
            $"""
            {title}
            {(string.IsNullOrWhiteSpace(email.Body) ? "" : $"\n{email.Body}\n")}
            {console}

            {language.Footer}
            """);

        // A member without a name is called by his address, which is his to be told.
        string? Named(string? value) => value is null || (EmailAddress.IsPlain(value) && !OfCustomers.Contains(email.TextName!)) ? value : MailedName.Harmless(value);
    }

    /// <param name="inviter">What the inviter is called: a name, or <paramref name="inviterEmail"/>; null where nobody is named.</param>
    public static Mail Invitation(OutgoingEmail email, string organization, string role, string? inviter, string? inviterEmail, string link)
    {
        var language = ReaderLanguage.Of(email.Locale);
        var name = MailedName.Short(organization);
        var from = inviter is null ? null : inviter != inviterEmail ? MailedName.Short(inviter) : EmailAddress.IsPlain(inviter) ? inviter : null;
        return new(email.Id, email.To, language.Fill(language.InvitationSubject, name), language.Fill(language.InvitationBody, from, name, role, link));
    }

    /// <param name="name">What the person is called: a name, or the address.</param>
    public static Mail Reset(OutgoingEmail email, string name, string link, TimeSpan lifetime)
    {
        var language = ReaderLanguage.Of(email.Locale);
        return new(
            email.Id, email.To, language.ResetSubject,
            language.Fill(language.ResetBody, name == email.To ? name : MailedName.Short(name), link, lifetime.TotalMinutes.ToString("0", CultureInfo.InvariantCulture)));
    }

    public static Mail Test(Guid id, string to, string? locale)
    {
        var language = ReaderLanguage.Of(locale);
        return new(id, to, language.TestSubject, language.TestBody);
    }
}
