using AgentPlatform.Data.Texts;

namespace AgentPlatform.Data.Tests.Texts;

/// <summary>Names that go into e-mails: no carriers of addresses, and no trouble for whoever is called so.</summary>
public sealed class MailedNameTests
{
    [Theory]
    [InlineData("Win at https://evil.example now")]
    [InlineData("Win at HTTP://evil.example")]
    [InlineData("www.evil.example")]
    [InlineData("Click WWW.evil.example")]
    [InlineData("x@evil.example")]
    [InlineData("Write to x@evil.example, quickly")]
    [InlineData("ｈｔｔｐｓ：／／evil.example")]
    [InlineData("x＠evil.example")]
    [InlineData("Ada\r\nBcc: x")]
    [InlineData("Ada\u0007")]
    [InlineData("Ada\u2028Byron")]
    [InlineData("Ada \u202egnp.exe")]
    public void A_name_with_an_address_or_a_control_character_is_refused(string name) => Assert.False(MailedName.IsAllowed(name));

    [Theory]
    [InlineData("Ada Byron")]
    [InlineData("J.R.R. Tolkien")]
    [InlineData("Dr.Müller")]
    [InlineData("O'Neil & Sons, Inc.")]
    [InlineData("Booking.com")]
    [InlineData("S.A. de C.V.")]
    [InlineData("AC/DC")]
    [InlineData("Bar @ Home")]
    [InlineData("M@x")]
    [InlineData("علی\u200cرضا")]
    [InlineData("株式会社ソウル。")]
    [InlineData("👩‍🚀 Ada")]
    public void What_people_and_companies_are_called_is_taken(string name) => Assert.True(MailedName.IsAllowed(name));

    [Theory]
    [InlineData("Win at https://evil.example/x?y=z now", "Win at https: // evil. example/x?y=z now")]
    [InlineData("tel:+49900123", "tel: +49900123")]
    [InlineData("skype:evil?call", "skype: evil?call")]
    [InlineData("☎.com", "☎. com")]
    [InlineData("x@evil.example", "x@ evil. example")]
    [InlineData("www.evil.co.uk", "www. evil. co. uk")]
    [InlineData("evil．example x＠evil｡example", "evil. example x@ evil。 example")]
    [InlineData("1.2.3.4/evil", "1. 2. 3.4/evil")]
    [InlineData("192.168.0.1:8080", "192. 168. 0.1:8080")]
    [InlineData("evil\u2024com/x", "evil. com/x")]
    [InlineData("ⓔⓥⓘⓛ。ⓒⓞⓜ", "evil。 com")]
    [InlineData("evil.\u200bexample", "evil. example")]
    [InlineData("डाटा.भारत", "डाटा. भारत")]
    [InlineData("Ada\r\nBcc:\tx", "Ada Bcc: x")]
    [InlineData("Ada \u202eByron", "Ada Byron")]
    [InlineData("J.R.R. Tolkien", "J.R.R. Tolkien")]
    [InlineData("Version 2.10", "Version 2.10")]
    [InlineData("علی\u200cرضا", "علی\u200cرضا")]
    [InlineData("👩‍🚀", "👩‍🚀")]
    public void In_an_e_mail_nothing_of_a_name_can_be_clicked_on(string name, string harmless)
    {
        Assert.Equal(harmless, MailedName.Harmless(name));
        Assert.Equal(harmless, MailedName.Harmless(harmless));
    }

    [Fact]
    public void A_name_is_no_letter()
    {
        var name = $"Your account is blocked, {string.Concat(Enumerable.Repeat("😀", 50))}";
        var cut = MailedName.Short(name);
        Assert.True(cut.Length <= MailedName.MaxLength);
        Assert.EndsWith("😀…", cut, StringComparison.Ordinal);
        Assert.Equal("Ada", MailedName.Short("Ada"));
    }
}
