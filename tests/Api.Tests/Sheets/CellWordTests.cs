using AgentPlatform.Api.Transfer.Sheets;

namespace AgentPlatform.Api.Tests.Sheets;

public sealed class CellWordTests
{
    [Theory]
    [InlineData("TRUE", true)]
    [InlineData("True", true)]
    [InlineData("WAHR", true)]
    [InlineData("VRAI", true)]
    [InlineData("VERDADERO", true)]
    [InlineData("ИСТИНА", true)]
    [InlineData("Ja", true)]
    [InlineData("si", true)]
    [InlineData("Sí", true)]
    [InlineData("X", true)]
    [InlineData("1", true)]
    [InlineData("FALSE", false)]
    [InlineData("FALSCH", false)]
    [InlineData("FAUX", false)]
    [InlineData("FALSO", false)]
    [InlineData("ЛОЖЬ", false)]
    [InlineData("NÃO", false)]
    [InlineData("0", false)]
    [InlineData("maybe", null)]
    [InlineData("2", null)]
    [InlineData("-", null)]
    public void Words_for_true_and_false_are_known_whatever_their_case(string word, bool? means) => Assert.Equal(means, CellFlag.Read(word));

    [Theory]
    [InlineData("4,91512E+11", true)]
    [InlineData("4.91512E+11", true)]
    [InlineData("-1E+05", true)]
    [InlineData("#N/A", true)]
    [InlineData("#NV", true)]
    [InlineData("#REF!", true)]
    [InlineData("#BEZUG!", true)]
    [InlineData("#DIV/0!", true)]
    [InlineData("#NAME?", true)]
    [InlineData("########", true)]
    [InlineData("#1", false)]
    [InlineData("#vip", false)]
    [InlineData("#VIP", false)]
    [InlineData("12E45", false)]
    [InlineData("4915112345678", false)]
    [InlineData("N/A", false)]
    [InlineData("NULL", false)]
    public void What_a_spreadsheet_has_spoiled_is_seen(string text, bool isDamaged) => Assert.Equal(isDamaged, CellDamage.Of(text) is not null);
}
