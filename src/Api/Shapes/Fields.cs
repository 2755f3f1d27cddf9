using System.Text.Json.Nodes;
using AgentPlatform.Data.Texts;

namespace AgentPlatform.Api.Shapes;

/// <summary>The words in which fields are declared: <c>Text("name", 200).Required().Sorted().Searched()</c>.</summary>
public static class Fields
{
    /// <summary>The SQL function that compares what people call something.</summary>
    private const string AsPeopleDo = "comparable_text";

    public static Field Text(string name, int maxLength) => new(name, new TextType(maxLength));

    /// <summary>What people call something: a line that is not blank.</summary>
    public static Field Name(string name, int maxLength = 200) => new(name, NameType(maxLength, "Name"));

    /// <summary>Text of several lines that is not blank.</summary>
    public static Field Prose(string name, int maxLength) => new(name, new TextType(maxLength, MinLength: 1, Example: "Name"));

    /// <summary>What another system calls something: not blank, compared letter by letter, without what nobody sees in it.</summary>
    public static Field Identifier(string name, int maxLength = 200) => new(name, new TextType(maxLength, MinLength: 1, Example: "Name") { Spelling = TypedText.Identifier });

    /// <summary>A secret or a token: kept letter by letter as it is given.</summary>
    public static Field Verbatim(string name, int maxLength = 200) => new(name, new TextType(maxLength, MinLength: 1, Example: "Name") { Spelling = static text => text });

    /// <summary>A secret that goes into a header of HTTP: printable ASCII, as it is given but for blanks around it, which come along when it is copied.</summary>
    public static Field HeaderSecret(string name, int maxLength = 4096) => new(name, new TextType(maxLength, MinLength: 1, Pattern: "^[!-~]+( [!-~]+)*$", Form: $"1 to {maxLength} printable ASCII characters", Example: "Name")
    {
        Spelling = static text => text.Trim(),
    });

    /// <summary>A password as it is typed. What counts of it is decided where it is hashed.</summary>
    public static Field Password(string name) => Verbatim(name, Auth.AuthOptions.MaxPasswordLength);

    /// <summary>What people or organizations call themselves, which goes into e-mails to others.</summary>
    public static Field MailedName(string name, int maxLength = 200) => new(name, NameType(maxLength, "Name") with
    {
        Form = $"text of 1 to {maxLength} characters, not blank, without web and e-mail addresses and without control characters",
        Accepts = Data.Texts.MailedName.IsAllowed,
    });

    /// <summary>An address that mail can be sent to. Kept as it is written, recognised whatever its case.</summary>
    public static Field Email(string name) => new(name, AddressType with { Accepts = EmailAddress.CanBeSentTo });

    /// <summary>An address that somebody has, from whenever it was taken: for finding and showing, not for taking.</summary>
    public static Field AnyEmail(string name) => new(name, AddressType);

    /// <summary>E.164: a plus sign and 5 to 15 digits. What people write between them is taken away.</summary>
    public static Field Phone(string name) =>
        new(name, new TextType(16, Pattern: @"^\+[1-9][0-9]{4,14}$", Form: "a phone number in E.164 form, such as +15550001111", Example: "+15550001111") { Spelling = PhoneNumber.Spelling });

    public static Field Url(string name) =>
        new(name, new TextType(2048, Format: "uri", Pattern: @"^https?://[^\s]+$", Form: "an http or https URL", Example: "https://example.com/"));

    /// <summary>BCP 47.</summary>
    public static Field Language(string name) =>
        new(name, new TextType(35, Pattern: "^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$", Form: "a language tag, such as en or pt-BR", Example: "en"));

    /// <summary>ISO 4217.</summary>
    public static Field Currency(string name) => new(name, new ChoiceType([.. Currencies.Codes]) { Told = "a currency code of ISO 4217, such as USD", Example = "USD" });

    public static Field Matching(string name, string pattern, string form, string example, int maxLength = 200) =>
        new(name, new TextType(maxLength, Pattern: pattern, Form: form, Example: example));

    public static Field Choice(string name, params string[] values) => new(name, new ChoiceType(values));

    public static Field Flag(string name) => new(name, new BooleanType());

    public static Field Integer(string name, int minimum = int.MinValue, int maximum = int.MaxValue) => new(name, new IntegerType(minimum, maximum));

    public static Field Long(string name) => new(name, new IntegerType(long.MinValue, long.MaxValue, IsLong: true));

    public static Field Number(string name, decimal minimum, decimal maximum, int places) => new(name, new NumberType(minimum, maximum, places));

    /// <summary>An amount of money: as fine as the finest currency here; that its own allows so many places is held by the database (<see cref="Currencies.IsAboutPlaces"/>).</summary>
    public static Field Money(string name) => new(name, new NumberType(0, Currencies.MostMoney, Currencies.MostPlaces) { LeastPlaces = 2 });

    public static Field Timestamp(string name) => new(name, new TimestampType());

    public static Field Date(string name) => new(name, new DateType());

    public static Field Uuid(string name) => new(name, new UuidType());

    /// <summary>An id of a row of another table, in the same organization.</summary>
    public static Field Reference(string name, string table) => Uuid(name) with { References = table };

    public static Field Tags(string name, int maxItems = 50, int maxLength = 100) => new(name, new TextListType(maxItems, NameType(maxLength, "tag")));

    /// <summary>A JSON object of the caller's own making.</summary>
    public static Field Json(string name) => new(name, new JsonType());

    /// <summary>JSON of any kind.</summary>
    public static Field AnyJson(string name) => new(name, new JsonType(AllowsAnything: true));

    public static Field Object(string name, params Field[] members) => new(name, new ObjectType(new Shape(members)));

    /// <summary>A JSON object with known members, stored and answered as it is given.</summary>
    public static Field Document(string name, params Field[] members) => new(name, DocumentType(members));

    /// <summary>The type of such an object, for items of a list.</summary>
    public static ObjectType DocumentType(params Field[] members) => new(new Shape(members), IsAsGiven: true);

    /// <summary>Ids of rows of another table, in the same organization.</summary>
    public static Field ReferenceList(string name, string table, int maxItems = 100) => List(name, new UuidType(), maxItems) with { References = table };

    /// <summary>Most members that one note names.</summary>
    public const int MaxMentions = 20;

    /// <summary>Members whom a note names, who are told: the same for every kind of note.</summary>
    public static Field Mentions() => ReferenceList("mentions", "users", MaxMentions).About("Members whom the note names: they are told, each once for a note.");

    public static Field List(string name, FieldType item, int maxItems, int minItems = 0) => new(name, new ListType(item, maxItems, minItems));

    public static Field Required(this Field field) => field with { IsRequired = true };

    public static Field Nullable(this Field field) => field with { IsNullable = true };

    public static Field ReadOnly(this Field field) => field with { Access = FieldAccess.ReadOnly };

    /// <summary>Given at creation, not changed afterwards.</summary>
    public static Field Fixed(this Field field) => field with { Access = FieldAccess.Fixed };

    public static Field Secret(this Field field) => field with { Access = FieldAccess.Secret };

    public static Field Filtered(this Field field) => field with { IsFilter = true };

    public static Field Ranged(this Field field) => field with { IsRange = true };

    public static Field Sorted(this Field field) => field with { IsSort = true };

    public static Field Searched(this Field field) => field with { IsSearched = true };

    /// <summary>An address that this server is going to call on a tenant's word.</summary>
    public static Field Called(this Field field) => field with { IsCalled = true };

    /// <summary>Left out of lists.</summary>
    public static Field Detail(this Field field) => field with { IsDetail = true };

    /// <summary>Words of people's own: filtered by as they compare them.</summary>
    public static Field AsWords(this Field field) => field with { Type = ((TextType)field.Type) with { Comparison = AsPeopleDo, Spelling = TypedText.Line } };

    /// <summary>What another system calls something: as <see cref="Identifier"/>, and may be absent. An empty text says nothing, so that two rows never have it in common.</summary>
    public static Field Named(this Field field) => field with { Type = ((TextType)field.Type) with { Spelling = TypedText.Identifier, IsNoneWhenEmpty = true } };

    /// <summary>Found by a column that keeps the value as it is compared, which an index has.</summary>
    public static Field FoundBy(this Field field, string column) => field with { Recognition = $"t.{column} = {((TextType)field.Type).Comparison}({{0}})" };

    public static Field WithDefault(this Field field, JsonNode value) => field with { Default = value };

    public static Field About(this Field field, string description) => field with { Description = description };

    public static Field FromColumn(this Field field, string column) => field with { Column = column };

    private static readonly TextType AddressType = new(EmailAddress.MaxLength, Format: "email", Pattern: @"^.+@[^@\s]+\.[^@\s]+$", Form: "an e-mail address", Example: "person@example.com")
    {
        Comparison = "comparable_email",
        Spelling = EmailAddress.Typed,
    };

    private static TextType NameType(int maxLength, string example) => new(maxLength, MinLength: 1, Example: example) { Comparison = AsPeopleDo, Spelling = TypedText.Line };
}
