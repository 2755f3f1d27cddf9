using AgentPlatform.Data.Texts;

namespace AgentPlatform.Data.Tests.Texts;

/// <summary>Which addresses are taken: those that mail can be sent to, as people type them.</summary>
public sealed class EmailAddressTests
{
    [Theory]
    [InlineData("ada@example.com")]
    [InlineData(" Ada.Byron@Example.COM ")]
    [InlineData("o'neil+tag_1@mail-7.example.co.uk")]
    [InlineData("!#$%&'*+/=?^_`{|}~-@example.com")]
    [InlineData("\"ada byron\"@example.com")]
    [InlineData("\"ada@home\"@example.com")]
    [InlineData("\"ada \\\"the first\\\"\"@example.com")]
    [InlineData("jürgen@münchen.de")]
    [InlineData("ju\u0308rgen@Mu\u0308nchen.de")]
    [InlineData("info@XN--mnchen-3ya.de")]
    [InlineData("用户@例子.广告")]
    [InlineData("अजय@डाटा.भारत")]
    [InlineData("info@straße.de")]
    [InlineData("1234567890@123.example")]
    public void An_address_that_mail_can_be_sent_to_is_taken(string typed) => Assert.True(EmailAddress.CanBeSentTo(EmailAddress.Typed(typed)));

    [Theory]
    [InlineData("")]
    [InlineData("ada")]
    [InlineData("@example.com")]
    [InlineData("ada@")]
    [InlineData("ada@localhost")]
    [InlineData("ada@example")]
    [InlineData("ada@example..com")]
    [InlineData("ada@.example.com")]
    [InlineData("ada@example.com.")]
    [InlineData("ada@-example.com")]
    [InlineData("ada@exa_mple.com")]
    [InlineData("ada@exa mple.com")]
    [InlineData("ada@[192.0.2.1]")]
    [InlineData("ada@192.0.2.1")]
    [InlineData("ada..byron@example.com")]
    [InlineData(".ada@example.com")]
    [InlineData("ada.@example.com")]
    [InlineData("ada byron@example.com")]
    [InlineData("ada@home@example.com")]
    [InlineData("ada,byron@example.com")]
    [InlineData("ada@example.com,bob@example.com")]
    [InlineData("ada@example.com; bob@example.com")]
    [InlineData("Ada <ada@example.com>")]
    [InlineData("<ada@example.com>")]
    [InlineData("ada@example.com (Ada)")]
    [InlineData("(Ada)ada@example.com")]
    [InlineData("mailto:ada@example.com")]
    [InlineData("@relay.example:ada@example.com")]
    [InlineData("\"ada\".byron@example.com")]
    [InlineData("a\"b\"c@example.com")]
    [InlineData("\"a\"b\"@example.com")]
    [InlineData("\"\"@example.com")]
    [InlineData("ada@example.com\r\nBcc: bob@example.com")]
    [InlineData("ada\r\nRCPT TO:<bob@example.com>@example.com")]
    [InlineData("ada@münchen。de")]
    public void What_mail_can_not_be_sent_to_is_not_taken(string typed) => Assert.False(EmailAddress.CanBeSentTo(EmailAddress.Typed(typed)));

    [Fact]
    public void Lengths_are_those_of_smtp_in_octets()
    {
        var label = new string('d', 63);
        Assert.True(EmailAddress.CanBeSentTo($"{new string('a', 64)}@{label}.example"));
        Assert.False(EmailAddress.CanBeSentTo($"{new string('a', 65)}@{label}.example"));
        Assert.False(EmailAddress.CanBeSentTo($"a@{label}d.example"));
        // 32 letters of two octets each.
        Assert.True(EmailAddress.CanBeSentTo($"{new string('ж', 32)}@example.com"));
        Assert.False(EmailAddress.CanBeSentTo($"{new string('ж', 33)}@example.com"));
        var longest = $"{new string('a', 64)}@{label}.{label}.{new string('e', 58)}.de";
        Assert.Equal(EmailAddress.MaxLength, longest.Length);
        Assert.True(EmailAddress.CanBeSentTo(longest));
        Assert.False(EmailAddress.CanBeSentTo(longest.Replace(".de", ".dev", StringComparison.Ordinal)));
        // The domain counts as it travels.
        Assert.False(EmailAddress.CanBeSentTo($"{new string('a', 64)}@{string.Join('.', Enumerable.Repeat(new string('ü', 40), 4))}.de"));
    }

    [Fact]
    public void No_text_is_a_defect()
    {
        var seed = Environment.TickCount;
        var chance = new Random(seed);
        string[] parts = ["a", "@", ".", "\"", "\\", "<", ">", "(", ")", ",", ";", ":", " ", "\r\n", "ü", "用", "\u200d", "xn--", "-", "[", "]", "=?utf-8?q?a?=", "\ud83d\ude00", "example.com", "\u0000", "ß"];
        foreach (var text in Enumerable.Range(0, 20_000).Select(_ => string.Concat(Enumerable.Range(0, chance.Next(1, 10)).Select(_ => parts[chance.Next(parts.Length)]))))
        {
            var failure = Record.Exception(() =>
            {
                var typed = EmailAddress.Typed(text);
                // What is taken once is taken as it is kept.
                Assert.True(!EmailAddress.CanBeSentTo(typed) || EmailAddress.Typed(typed) == typed, typed);
            });
            Assert.True(failure is null, $"seed {seed}, {text}: {failure}");
        }
    }
}
