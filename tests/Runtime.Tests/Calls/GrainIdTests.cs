namespace AgentPlatform.Runtime.Tests.Calls;

public sealed class GrainIdTests
{
    [Theory]
    [InlineData("", 0x055DCC02u)]
    [InlineData("abc", 0xFF53D132u)]
    [InlineData("Nobody inspects the spammish repetition", 0x2F3B29E2u)]
    public void A_hash_is_the_canonical_xxHash32_read_from_its_end(string text, uint expected) =>
        Assert.Equal(expected, StableHash.ComputeHash(System.Text.Encoding.UTF8.GetBytes(text)));

    [Fact]
    public void A_grain_id_has_the_text_and_hash_that_tables_hold()
    {
        var id = GrainId.Create("conversation", "abc");

        Assert.Equal("conversation/abc", id.ToString());
        Assert.Equal(id, GrainId.Parse("conversation/abc", null));
        Assert.Equal(unchecked((StableHash.ComputeHash("conversation"u8) * 31) + 0xFF53D132u), id.GetUniformHashCode());
    }
}
