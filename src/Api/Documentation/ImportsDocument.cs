using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Resources;
using AgentPlatform.Api.Shapes;
using AgentPlatform.Api.Transfer;
using AgentPlatform.Api.Transfer.Sheets;
using AgentPlatform.Data.Jobs;

namespace AgentPlatform.Api.Documentation;

/// <summary>docs/imports.md: what files may hold for each resource, from the code. The OpenAPI document says it shorter.</summary>
internal static class ImportsDocument
{
    private static ImmutableArray<Resource> Importable => [.. ResourceCatalog.All.Where(resource => resource.Import is not null)];

    /// <summary>One row for each resource.</summary>
    public static string Table()
    {
        var text = new StringBuilder("| resource | role | required | keys of `upsert` | references can be named by |\n|---|---|---|---|---|\n");
        foreach (var resource in Importable)
        {
            text.Append(CultureInfo.InvariantCulture, $"| `{resource.Path}` | {resource.Create?.Name()} | {Required(resource)} | {Keys(resource.Import!)} | {Code(NaturalKeys(resource))} |\n");
        }
        return text.ToString();
    }

    public static string Write()
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $$"""
            # Files for imports

            How an import is started, followed and read is said in [api.md](api.md); here is what a file may hold. This is produced from the code; a test holds it.
            After a change run the tests once with `UPDATE_DOCS=1`.

            ## What a line needs

            A line of CSV, or an object of JSON, makes one row by the rules of `POST`. Columns may come in any order and in any case. `id`, `version`, `updatedAt` and whatever else the
            product sets by itself is passed over. Times that are marked *kept* stand for new rows as the file has them, so that what was done before keeps its time; they can't be in
            the future, and `upsert` leaves those of rows that exist.

            **References.** A reference is given by its id, or by a column that says what it is called: `clientId`, or `client.phone`, or `client.email`. Several columns of one reference
            must all fit. What fits nothing, or several rows, is an error of that line; it makes no difference whether such a row exists in another organization. A line may refer to
            the lines before it, whatever they are; with `parent.title`, to any of the same {{ImportWork.ChunkLines}} lines. In JSON the same names are members (`"client.phone": "+15550001111"`), in the items
            of an order too (`"product.sku": "T-2"`). `POST /v1/jobs/exports` with `"references": "keys"` writes these columns in the place of ids: such a file can be imported elsewhere.

            **What is recognised.** `upsert` changes the row that has the line's key, and makes one where there is none. A key that several rows have (clients may share an e-mail address) is
            an error of that line. E-mail addresses are recognised whatever their case, as keys, in references and in the filters of lists; each is kept as it was written, and a row that is
            recognised by one keeps its own. Phone numbers may have blanks, dots, hyphens, slashes and brackets behind their plus, here as in every request, and are kept in E.164 form; one
            without its plus or with a `(0)` is refused, since nobody can tell what it stands for.

            Names, tags and keywords are recognised as people read them: whatever their case, composed or decomposed, in full width or not, with no-break spaces, marks of direction or other
            characters that nobody sees; keywords also with punctuation and pictures around them. Marks on letters count (José is not Jose). Tags are kept as the organization's list calls
            them. What another system calls something (`externalId`, `sku`, `orderNumber`) is compared to the letter, but for spaces around it and what nobody sees in it. So it is in the
            filters of lists and in searches. All texts are kept composed (NFC). Blanks around a value of CSV count only within quotation marks, and only in texts of several lines.

            **What follows from a row follows from an imported one.** Orders count as their client's revenue and activities as contact with the client, deals begin their history, tags
            are added to the list, bookings take places and are refused where there are none; those of tours that are over are taken as what was. Nobody is notified of activities and notes that are imported.

            **Contacts.** `platformUserId` is what the channel's platform calls the person: the number without a plus on WhatsApp (a plus is taken away), the chat's number on Telegram, a number
            in E.164 form for SMS and phone, the address for e-mail; a contact is recognised by any writing that comes to the same. The contact has an archived conversation, which opens with the first message of either side.

            ## Sheets

            CSV is taken as spreadsheets of any country save it. The header names fields, or what `mapping` says; a column without a name is passed over. Of columns with one name, the second is called `Phone (2)` in `mapping`, the next `Phone (3)`. A row without any value in a column that
            fills a field is skipped, and counted in `result.skipped`; blank rows before the header are skipped too. What a row leaves out at its end is empty; a value beyond the header is an error of
            its line. An empty cell is no value, `""` an empty text where the field takes one; in keys, references and whatever another system calls something it is no value either. What a file shows about itself is found before its first line, by all of its lines, and told in the job's
            `result.dialect` (after a `dryRun` too); an option says it instead.

            | option | what | found by |
            |---|---|---|
            | `encoding` | {{Code(CsvEncoding.Names)}} | a byte order mark (which counts before the option too); the `charset` with which the file was uploaded; zeros in every other byte (UTF-16); else the file is UTF-8, or Windows-1252 where its bytes can't be UTF-8 and its letters stand as those of Western languages do. Other code pages must be named, in any case and by other common names too (`cp1250`, `latin1`). A file that may be of another one, or is some of each, is not read: the job names words of it as code pages would read them |
            | `delimiter` | comma, semicolon, tab | a first line `sep=;`, or the one under which most of the header's columns are fields |
            | `decimalSign` | `.` or `,` | numbers that can be read in one way only, such as `5,0`, `1.234,50` or `1.234.567` |
            | `dateOrder` | `{{CsvDialect.DayFirst}}` or `{{CsvDialect.MonthFirst}}` | dates that can be read in one way only, such as `31/12/2025`; where only dots stand between, the day is first |

            **Nothing is guessed.** A cell that can be read in one way is; `1.234` or `3/4/2025`, which can be read in two, as the file's other cells show. Where they show nothing, or both, the job fails before
            its first line, says where, and names the option; with the option, a cell that doesn't fit it is an error of its line. `1234.56`, `5` and `2025-04-03` need none and are always taken.

            - **Numbers** may have blanks of any kind, points, commas or apostrophes between thousands, a minus in front or behind, brackets for what is below zero, and `5.0` is a whole number. A currency (`€`, `CHF`)
              beside an amount is that of the row where its `currency` is not given, and an error where it is another one. A sign that several share must be one of the row's: `$` of dollars and pesos, `£` of pounds, `¥` of yen
              and yuan, `kr` of Nordic crowns. Without `currency`, a new row is of the default one, and `upsert` must be told. `5,-` is 5. A percent sign and an exponent are errors.
            - **Dates** are written with points, slashes or hyphens, with the year in front, or with the month's English name. Of years with two digits, 00 to 29 are 2000 to 2029 and 50 to 99 are 1950 to 1999; others need four.
              A time (`14:30`, `2:30:15 PM`) without an offset is the organization's (`timeZone`), midnight where there is none. An hour that the change of clocks leaves out or brings twice needs an offset.
              A date with a time is no date, unless that is midnight.
            - **True** is {{Code(CellFlag.True)}}; **false** is {{Code(CellFlag.False)}}. Case doesn't matter, in the words of choices neither. An empty cell is no value and
              leaves the field's default, beside cells with `x` too.
            - **Texts** are kept as they are; `NULL` or `N/A` is a text. What a spreadsheet has spoiled is an error: `4,91512E+11` in the place of a long number (give the column the format Text), `#N/A`, `#REF!`, `####`.
              `="00123"` is the text 00123.
            - Line ends are CR LF, LF, or CR alone. A workbook (.xlsx, .ods), a PDF, a page of the web, JSON and UTF-32 are refused by their name.

            **Exports** are CSV with a byte order mark (`"byteOrderMark": false` leaves it out), a comma and a decimal point, or with what `delimiter` and `decimalSign` say: where the decimal sign is a comma, spreadsheets open files with
            `"delimiter": ";", "decimalSign": ","`. A text that a spreadsheet would take for a formula (it begins with `=`, `+`, `-`, `@`, one of these in full width, a tab or a line break) or for a number or a date that it
            writes otherwise (`01067`, `4915112345678`, `1-2`) has an apostrophe in front, and so has what could call something behind a delimiter or a line break within a text. An import takes them away again, whoever put them there; a
            text that begins so by itself has one more. So phone numbers are written `'+4915112345678`: without the apostrophe, a spreadsheet takes them for numbers. What a spreadsheet opens and saves comes back as it was,
            but for blanks at the edges of texts and the difference between an empty text and none. For programs, `jsonl` has none of this.

            ## Limits

            | | |
            |---|---|
            | one line | {{RecordReader.MaxRecordBytes / 1024 / 1024}} MiB |
            | one file | `FILE_MAX_BYTES` |
            | lines of one transaction: what goes in, its errors and the place after them are kept together, and a run that breaks off goes on from there | {{ImportWork.ChunkLines}}, or {{ImportWork.ChunkBytes / 1024 / 1024}} MiB |
            | bad lines that are listed; more are counted | `JOB_ERRORS_KEPT`, {{new JobOptions().ErrorsKept}} |
            | jobs of one organization at once, and waiting | `JOBS_PER_ORGANIZATION`, `JOBS_WAITING_PER_ORGANIZATION` |

            ## Errors

            `GET /v1/jobs/{id}/job-errors` lists `line` (the first one of a record that spans several), `field` (the column, `items/0/unitPrice` within a list; null where the line as a whole
            can't be read) and `detail`. A header that names an unknown column, or one column twice, fails the job before the first line, and so does a file that is empty, JSON in UTF-16, or CSV that doesn't tell
            how it is to be read. Every other line goes in, whatever is wrong with its neighbours. A line that repeats the header is an error of its own, where the file has more than one column.

            An import ends between two transactions when it is cancelled, when whoever asked for it may no longer do what it does, when the organization is suspended, or when the rest of the
            file is gone. What went in stays, the job says why it ended, and `POST /v1/jobs/{id}/retry` goes on from there.

            ## Resources


            """);
        text.Append(Table());
        foreach (var resource in Importable)
        {
            text.Append(CultureInfo.InvariantCulture, $"\n### {resource.Path}\n\n{resource.Description}\n\n| column | what | |\n|---|---|---|\n");
            foreach (var field in ImportShape.Of(resource).Fields)
            {
                text.Append(CultureInfo.InvariantCulture, $"| `{field.Name}` | {What(resource, field)} | {Needed(resource, field)} |\n");
            }
        }
        return text.ToString();
    }

    private static string What(Resource resource, Field field) => ImportShape.Of(resource).KeyOf(field) is { } key
        ? $"names `{key.Reference.Name}`"
        : Escape($"{(field.References is { } table ? $"a UUID, of {table}" : field.Type.Expectation)}{(field.Description is { } description ? $". {description}" : "")}");

    private static string Needed(Resource resource, Field field) =>
        field.IsRequired ? "required" : resource.Import!.Kept.Contains(field.Name) ? "kept" : field.Default is { } value ? Escape($"default `{value.ToJsonString()}`") : "";

    private static string Required(Resource resource) => Code(resource.Shape.Fields.Where(field => field.IsRequired && field.IsGivenAt(ShapeUse.Create)).Select(field => field.Name));

    private static string Keys(ImportRule rule) => rule.Keys.IsEmpty ? "" : Code(rule.Keys) + (rule.Within is null ? "" : $" within `{rule.Within}`");

    private static IEnumerable<string> NaturalKeys(Resource resource) => ImportShape.Of(resource).Fields.Where(field => ImportShape.Of(resource).KeyOf(field) is not null).Select(field => field.Name);

    private static string Code(IEnumerable<string> names) => string.Join(", ", names.Select(name => $"`{name}`"));

    private static string Escape(string text) => text.Replace("|", "\\|", StringComparison.Ordinal);
}
