using System.Text;
using AgentPlatform.Api.Transfer.Sheets;
using AgentPlatform.Data.Jobs;

namespace AgentPlatform.Api.Tests.Sheets;

public sealed class EncodingTests
{
    [Theory]
    [InlineData("Müller Köln Straße Ärger")]
    [InlineData("José Peña ¿Dónde? ¡Sí! Núñez 1ª María")]
    [InlineData("Éric créée Œuvre d’été «guillemets» où 20° 5 €")]
    [InlineData("João São Conceição Antônio")]
    [InlineData("così perché più Niccolò")]
    [InlineData("Åse Bjørn Ærø")]
    [InlineData("Sigurðardóttir Þór Ýmir")]
    [InlineData("Paral·lel – O´Brien … “quoted”")]
    [InlineData("Hélène Genève Crème première Lumière bière à la carte, Août, Loïc, Anaïs")]
    [InlineData("München")]
    [InlineData("lunedì")]
    [InlineData("può")]
    [InlineData("Forlì, Niccolò, città")]
    [InlineData("amanhã")]
    [InlineData("Øyvind")]
    [InlineData("MªCarmen Núñez")]
    [InlineData("Bjørn; Høegh; Bøe")]
    [InlineData("Evêque FORÊT être à là Loïc")]
    [InlineData("François Benoît Noël Zoë Chloé Jérôme")]
    [InlineData("città caffè Nicolò università Mosè venerdì più")]
    [InlineData("ESPAÑA Muñoz Peña Ibáñez Íñigo nº 5 1ª")]
    [InlineData("Simões Camões Guimarães Magalhães ações manhã ciência Valência")]
    [InlineData("Sørensen Møller Jørgensen Kræmmer Ørsted Bøe Skjæveland Åkesson")]
    [InlineData("Åke Öberg Sjögren Hämäläinen Mäkinen")]
    [InlineData("Tõnu Põld Jõgi Võru Mägi Jürgen")]
    [InlineData("België Citroën zeeën Daniël geïnteresseerd één")]
    [InlineData("Guðrún Davíð Aðalsteinn Jónsdóttir Þórður")]
    [InlineData("5 €, £5, ¥100, 20 m², 3 m³, 5 °C, ½ l, © ACME®, 2019–2020, “quoted” text’s, •, 10 ‰, ACME™")]
    [InlineData("£GBP")]
    public void Western_text_is_windows_1252(string text) => Assert.Equal(CsvEncoding.Western, Decide(text, "windows-1252"));

    [Theory]
    [InlineData("Борис Иванов", "windows-1251")]
    [InlineData("Борис Иванов", "koi8-r")]
    [InlineData("Борис Иванов", "ibm866")]
    [InlineData("Γιώργος Παπαδόπουλος", "windows-1253")]
    [InlineData("Wałęsa Żółć Anną", "windows-1250")]
    [InlineData("Jiří;Dvořák;Pekařství", "windows-1250")]
    [InlineData("Kateřina", "windows-1250")]
    [InlineData("Ľubica", "windows-1250")]
    [InlineData("IAŞI", "windows-1250")]
    [InlineData("Šimek", "iso-8859-2")]
    [InlineData("Železný", "iso-8859-2")]
    [InlineData("šedá", "iso-8859-2")]
    [InlineData("Dvořák", "ibm852")]
    [InlineData("100 €", "iso-8859-15")]
    [InlineData("Petrů Janů Martinů", "windows-1250")]
    [InlineData("Muñoz", "macintosh")]
    [InlineData("Peña García Núñez", "macintosh")]
    [InlineData("Přibyl", "windows-1250")]
    [InlineData("Plzeň", "windows-1250")]
    [InlineData("Zdeněk", "windows-1250")]
    [InlineData("Láďa", "windows-1250")]
    [InlineData("Erdős", "windows-1250")]
    [InlineData("Kovács Győr Szűcs", "windows-1250")]
    [InlineData("Szűcs", "windows-1250")]
    [InlineData("Poznań", "windows-1250")]
    [InlineData("Paweł", "windows-1250")]
    [InlineData("Łódź", "windows-1250")]
    [InlineData("Zięba", "windows-1250")]
    [InlineData("Świątek", "windows-1250")]
    [InlineData("Kovačič", "windows-1250")]
    [InlineData("Čapek", "windows-1250")]
    [InlineData("Petrović", "windows-1250")]
    [InlineData("Băsescu", "windows-1250")]
    [InlineData("Ştefan Ţiriac", "windows-1250")]
    [InlineData("Şükrü Çağlar", "windows-1254")]
    [InlineData("Erdoğan", "windows-1254")]
    [InlineData("Yıldız", "windows-1254")]
    [InlineData("Ayşe Barış", "windows-1254")]
    [InlineData("Šiauliai", "windows-1257")]
    [InlineData("Žemaitė", "windows-1257")]
    [InlineData("Eglė", "windows-1257")]
    [InlineData("Bērziņš", "windows-1257")]
    [InlineData("Köln", "ibm850")]
    [InlineData("Köln", "ibm437")]
    [InlineData("Österreich", "ibm850")]
    [InlineData("España", "ibm850")]
    [InlineData("Köln", "macintosh")]
    [InlineData("Ärger", "macintosh")]
    [InlineData("台北", "big5")]
    [InlineData("김", "euc-kr")]
    [InlineData("Müller Jiří Dvořák Růžička Pekařství", "windows-1250")]
    [InlineData("Němec Zdeněk Petrů Růžička", "windows-1250")]
    [InlineData("Müller Käse Größe", "macintosh")]
    [InlineData("René Hélène français", "macintosh")]
    [InlineData("Müller Käse Größe", "ibm850")]
    [InlineData("田中さん", "shift_jis")]
    [InlineData("王小明", "gb18030")]
    [InlineData("김철수", "euc-kr")]
    public void What_can_not_be_windows_1252_is_not_taken_for_it(string text, string encoding) =>
        Assert.Contains("`encoding`", Assert.Throws<JobFailedException>(() => Decide(text, encoding)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("Dvořák", "windows-1250", "\"Dvoøák\" (windows-1252), \"Dvořák\" (windows-1250)")]
    [InlineData("Jiří", "windows-1250", "words such as \"Jiøí\" (windows-1252), \"Jiří\" (windows-1250), \"Jiųķ\" (windows-1257).")]
    [InlineData("Борис", "windows-1251", "\"Борис\" (windows-1251)")]
    [InlineData("Çağlar", "windows-1254", "\"Çağlar\" (windows-1254)")]
    [InlineData("Köln", "macintosh", "\"Köln\" (macintosh)")]
    public void Words_are_told_as_code_pages_read_them(string text, string encoding, string told) =>
        Assert.Contains(told, Assert.Throws<JobFailedException>(() => Decide(text, encoding)).Message, StringComparison.Ordinal);

    [Fact]
    public void A_file_with_a_few_broken_lines_is_utf_8_and_one_of_two_encodings_is_not_read()
    {
        Assert.Equal(CsvEncoding.Utf8, Decide(["ü"u8.ToArray(), "é"u8.ToArray(), [0xFC]]));
        Assert.Contains("lines in UTF-8, 1; in another one, 2", Assert.Throws<JobFailedException>(() => Decide(["ü"u8.ToArray(), [0xFC], [0xE9]])).Message, StringComparison.Ordinal);
        Assert.Equal(CsvEncoding.Utf8, Decide(["plain"u8.ToArray()]));
    }

    [Fact]
    public void Each_encoding_that_can_be_named_is_there_and_has_the_signs_of_csv_as_ascii_has_them()
    {
        foreach (var name in CsvEncoding.Names.Where(name => CsvEncoding.UnitBytes(name) == 1))
        {
            var encoding = CsvEncoding.Find(name);
            Assert.Equal((name, "a,b;c\t\"\r\n"), (name, encoding.GetString("a,b;c\t\"\r\n"u8)));
            // Never the second half of another character.
            foreach (var sign in ",;\t\"\r\n"u8.ToArray())
            {
                for (var first = 0x80; first <= 0xFF; first++)
                {
                    Assert.DoesNotContain(Decoded(encoding, [(byte)first, sign]), text => text.Length > 0 && !text.Contains((char)sign, StringComparison.Ordinal));
                }
            }
        }
        Assert.Equal([2, 2], new[] { CsvEncoding.Utf16LittleEndian, CsvEncoding.Utf16BigEndian }.Select(CsvEncoding.UnitBytes));
    }

    private static string[] Decoded(Encoding encoding, byte[] bytes)
    {
        try
        {
            return [encoding.GetString(bytes)];
        }
        catch (DecoderFallbackException)
        {
            return [];
        }
    }

    private static string Decide(string text, string encoding) => Decide([CsvEncoding.Find(encoding).GetBytes(text)]);

    private static string Decide(IEnumerable<byte[]> lines)
    {
        var tells = new Utf8OrWestern();
        foreach (var line in lines)
        {
            tells.Look(line);
        }
        return tells.Decide();
    }
}
