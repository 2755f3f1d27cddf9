using AgentPlatform.Data.Secrets;

namespace AgentPlatform.Data.Tests.Secrets;

public sealed class SecretBoxTests
{
    private const string Purpose = "channel.credentials";
    private static readonly Guid Organization = Guid.NewGuid();
    private static readonly string OldKey = SecretBox.NewKey("old");
    private static readonly string NewKey = SecretBox.NewKey("new");

    [Theory]
    [InlineData("")]
    [InlineData("EAAG-token")]
    [InlineData("пароль 密码 🔑")]
    public void A_secret_opens_as_it_was_sealed(string secret)
    {
        var box = SecretBox.Parse(OldKey);

        Assert.Equal(secret, box.OpenText(Organization, Purpose, box.Seal(Organization, Purpose, secret)));
    }

    [Fact]
    public void The_same_secret_never_looks_the_same_twice()
    {
        var box = SecretBox.Parse(OldKey);

        Assert.NotEqual(box.Seal(Organization, Purpose, "secret"), box.Seal(Organization, Purpose, "secret"));
    }

    [Fact]
    public void After_rotation_old_values_open_and_new_ones_use_the_new_key()
    {
        var old = SecretBox.Parse(OldKey).Seal(Organization, Purpose, "secret");
        var rotated = SecretBox.Parse($"{NewKey}, {OldKey}");
        var fresh = rotated.Seal(Organization, Purpose, "secret");

        Assert.Equal("secret", rotated.OpenText(Organization, Purpose, old));
        Assert.True(rotated.IsOutdated(old));
        Assert.False(rotated.IsOutdated(fresh));
        Assert.Equal("secret", SecretBox.Parse(NewKey).OpenText(Organization, Purpose, fresh));
    }

    [Fact]
    public void Without_its_key_a_value_stays_closed_and_the_message_names_the_key()
    {
        var old = SecretBox.Parse(OldKey).Seal(Organization, Purpose, "secret");

        var failure = Assert.Throws<SecretUnreadableException>(() => SecretBox.Parse(NewKey).OpenText(Organization, Purpose, old));

        Assert.Contains("key old", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_value_opens_for_its_own_organization_and_purpose_only()
    {
        var box = SecretBox.Parse(OldKey);
        var value = box.Seal(Organization, Purpose, "secret");

        Assert.Throws<SecretUnreadableException>(() => box.Open(Guid.NewGuid(), Purpose, value));
        Assert.Throws<SecretUnreadableException>(() => box.Open(Organization, "model.key", value));
    }

    [Fact]
    public void A_value_with_any_byte_altered_stays_closed()
    {
        var box = SecretBox.Parse(OldKey);
        var value = box.Seal(Organization, Purpose, "secret");
        for (var i = 0; i < value.Length; i++)
        {
            var altered = value.ToArray();
            altered[i] ^= 1;
            Assert.Throws<SecretUnreadableException>(() => box.Open(Organization, Purpose, altered));
        }
    }

    [Fact]
    public void A_value_cut_anywhere_stays_closed()
    {
        var box = SecretBox.Parse(OldKey);
        var value = box.Seal(Organization, Purpose, "secret");
        for (var length = 0; length < value.Length; length++)
        {
            Assert.Throws<SecretUnreadableException>(() => box.Open(Organization, Purpose, value.AsSpan(0, length)));
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("no-colon")]
    [InlineData(":AAAA")]
    [InlineData("short:AAAA")]
    [InlineData("nobase64:???")]
    public void Keys_that_are_malformed_are_refused_by_the_name_of_their_setting(string keys) =>
        Assert.Contains("SECRETS_KEYS", Assert.Throws<SettingException>(() => SecretBox.Parse(keys)).Message, StringComparison.Ordinal);

    [Fact]
    public void An_id_that_appears_twice_is_refused() =>
        Assert.Throws<SettingException>(() => SecretBox.Parse($"{OldKey},{SecretBox.NewKey("old")}"));
}
