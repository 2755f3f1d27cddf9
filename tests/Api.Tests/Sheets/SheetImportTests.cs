using System.Globalization;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Tests.Jobs;
using AgentPlatform.Api.Tests.TestApp;
using AgentPlatform.Api.Transfer;
using AgentPlatform.Api.Transfer.Sheets;

namespace AgentPlatform.Api.Tests.Sheets;

/// <summary>Files as spreadsheets of several countries save them.</summary>
public sealed class SheetImportTests(JobApp app) : IClassFixture<JobApp>
{
    private const string Client = "anna@example.com";

    /// <summary>Deals as a spreadsheet writes them, its encoding, and what is found: delimiter, decimal sign, order of dates.</summary>
    [Theory]
    [InlineData("Excel in German", "windows-1252", "name;client.email;dealValue;expectedCloseDate;createdAt\r\nKäse;{c};1.234,50;31.12.2025;31.12.2024 14:30\r\n;;;;\r\n", ";", ",", "dmy")]
    [InlineData("Excel in French", "windows-1252", "name;client.email;dealValue;expectedCloseDate;createdAt\r\nKäse;{c};1\u00A0234,50;31/12/2025;31/12/2024 14:30\r\n", ";", ",", "dmy")]
    [InlineData("Excel in the USA", "utf-8", "\uFEFFname,client.email,dealValue,expectedCloseDate,createdAt\r\nKäse,{c},\"$1,234.50\",12/31/2025,12/31/2024 2:30 PM\r\n,,,,\r\n", ",", ".", "mdy")]
    [InlineData("Unicode Text of Excel", "utf-16le", "\uFEFFname\tclient.email\tdealValue\texpectedCloseDate\tcreatedAt\r\nKäse\t{c}\t\"1,234.50\"\t31-Dec-25\t2024-12-31 14:30\r\n", "\t", ".", null)]
    [InlineData("UTF-16 without a mark", "utf-16be", "name,client.email,dealValue,expectedCloseDate,createdAt\nKäse,{c},1234.5,2025-12-31,2024-12-31T14:30:00+01:00\n", ",", ".", null)]
    [InlineData("Numbers in German", "utf-8", "name;client.email;dealValue;expectedCloseDate;createdAt\nKäse;{c};1.234,50;31.12.25;31.12.24, 14:30\n", ";", ",", "dmy")]
    [InlineData("old Mac", "utf-8", "name;client.email;dealValue;expectedCloseDate;createdAt\rKäse;{c};1234,5;31.12.2025;31.12.2024 14:30\r", ";", ",", "dmy")]
    [InlineData("with a line that names the delimiter", "utf-8", "\uFEFFsep=;\r\nname;client.email;dealValue;expectedCloseDate;createdAt\r\nKäse;{c};1234,5;31.12.2025;31.12.2024 14:30\r\n", ";", ",", "dmy")]
    [InlineData("empty columns and rows around", "utf-8", ";;;;;\r\n name ;Client.Email;dealValue;expectedCloseDate;createdAt;\r\nKäse;{c};1234,5;31.12.2025;31.12.2024 14:30;\r\n;;;;;\r\n\r\n", ";", ",", "dmy")]
    [InlineData("line ends converted twice", "utf-8", "name,client.email,dealValue,expectedCloseDate,createdAt\r\r\nKäse,{c},1234.50,2025-12-31,2024-12-31 13:30Z\r\r\n", ",", ".", null)]
    [InlineData("a program that quotes all", "utf-8", "\"name\";\"client.email\";\"client.phone\";\"dealValue\";\"expectedCloseDate\";\"createdAt\"\n\"Käse\";\"{c}\";\"\";\"1'234.50\";\"31/12/2025\";\"31/12/2024 14:30\"\n\"\";\"\";\"\";\"\";\"\";\"\"\n", ";", ".", "dmy")]
    public async Task A_file_is_read_as_it_is_written(string program, string encoding, string content, string delimiter, string? decimalSign, string? dateOrder)
    {
        Assert.NotEmpty(program);
        var organization = await app.NewOrganization();
        await organization.Execute("UPDATE organizations SET time_zone = 'Europe/Berlin' WHERE id = $1", organization.Id);
        await organization.Create("clients", new { firstName = "Anna", email = Client });
        var job = await Import(organization, "deals", CsvEncoding.Find(encoding).GetBytes(content.Replace("{c}", Client, StringComparison.Ordinal)));
        Assert.Empty(await organization.Owner.Errors(job));
        var dialect = job["result"]!["dialect"]!.AsObject();
        Assert.Equal((encoding, delimiter, decimalSign, dateOrder, "Europe/Berlin"), (dialect.Text("encoding"), dialect.Text("delimiter"), dialect["decimalSign"]?.GetValue<string>(), dialect["dateOrder"]?.GetValue<string>(), dialect.Text("timeZone")));
        var deal = Assert.Single(await organization.Owner.All("deals"));
        Assert.Equal(("Käse", 1234.5m, "2025-12-31", "2024-12-31T13:30:00.000000Z"), (deal.Text("name"), deal["dealValue"]!.GetValue<decimal>(), deal.Text("expectedCloseDate"), deal.Text("createdAt")));
    }

    [Fact]
    public async Task Rows_without_any_value_make_nothing_and_are_counted()
    {
        var organization = await app.NewOrganization();
        // A template whose rows are numbered beforehand, and rows whose cells were emptied.
        var job = await Import(organization, "clients", "no,firstName,email\r\n1,Ann,ann@example.com\r\n2,,\r\n3, ,\u00A0\r\n,,\r\n\r\n4,Bea\r\n\"\",\"\",\"\"\r\n", mapping: new() { ["no"] = "" });
        Assert.Equal((2, 0, 5, 2), Counts(job));
        Assert.Equal(["Ann", "Bea"], (await organization.Owner.All("clients")).Select(client => client.Text("firstName")).Order());
        Assert.Equal(5, job["progress"]!["skipped"]!.GetValue<int>());
    }

    [Fact]
    public async Task Words_of_spreadsheets_are_true_and_false()
    {
        var organization = await app.NewOrganization();
        var job = await Import(organization, "partners", "name;isAvailable\nA;WAHR\nB;FALSCH\nC;x\nD;nein\nE;\nF;perhaps\n");
        Assert.Equal([(7L, "isAvailable")], await organization.Owner.Errors(job));
        Assert.Equal("A True,B False,C True,D False,E True", string.Join(',', (await organization.Owner.All("partners")).Select(partner => $"{partner.Text("name")} {partner["isAvailable"]!.GetValue<bool>()}").Order()));
    }

    [Fact]
    public async Task What_only_a_late_line_tells_counts_for_all_lines()
    {
        var organization = await app.NewOrganization();
        await organization.Create("clients", new { email = Client });
        var csv = new StringBuilder("name;client.email;dealValue;expectedCloseDate\n");
        for (var index = 0; index < ImportWork.ChunkLines * 2; index++)
        {
            csv.Append(CultureInfo.InvariantCulture, $"Deal {index};{Client};1.234;3/4/2025\n");
        }
        csv.Append(CultureInfo.InvariantCulture, $"Last;{Client};0,5;13/4/2025\n");
        var job = await Import(organization, "deals", csv.ToString());
        Assert.Empty(await organization.Owner.Errors(job));
        Assert.Equal(ImportWork.ChunkLines * 2L, await organization.Query<long>("SELECT count(*) FROM deals WHERE organization_id = $1 AND deal_value = 1234 AND expected_close_date = '2025-04-03'", organization.Id));
    }

    [Theory]
    [InlineData("A;1.234;", "decimalSign", ".", 1.23, null)]
    [InlineData("A;1.234;\nB;1.234,5;\nC;1,234.5;", "decimalSign", ",", 1234, 4)]
    [InlineData("A;;3/4/2025", "dateOrder", "mdy", 0, null)]
    [InlineData("A;;3/4/2025\nB;;31/12/2025\nC;;12/31/2025", "dateOrder", "dmy", 0, 4)]
    public async Task What_a_file_does_not_tell_ends_it_before_its_first_line_and_an_option_decides(string lines, string option, string value, double amount, int? wrongLine)
    {
        var organization = await app.NewOrganization();
        await organization.Create("clients", new { email = Client });
        var content = $"name;dealValue;expectedCloseDate;client.email\n{string.Join('\n', lines.Split('\n').Select(line => $"{line};{Client}"))}\n".Replace("1.234;", amount is 1.23 ? "1.230;" : "1.234;", StringComparison.Ordinal);
        var failed = await Import(organization, "deals", content, "failed");
        Assert.Contains($"`{option}`", failed.Text("error"), StringComparison.Ordinal);
        Assert.Contains("line 2", failed.Text("error"), StringComparison.Ordinal);
        Assert.Empty(await organization.Owner.All("deals"));

        var job = await Import(organization, "deals", content, options: new() { [option] = value });
        Assert.Equal(wrongLine is null ? [] : [(long)wrongLine], (await organization.Owner.Errors(job)).Select(error => error.Line));
        var first = (await organization.Owner.All("deals")).Single(deal => deal.Text("name") == "A");
        Assert.Equal((amount, value switch { "mdy" => "2025-03-04", "dmy" => "2025-04-03", _ => null }), (first["dealValue"]!.GetValue<double>(), first["expectedCloseDate"]?.GetValue<string>()));
    }

    [Fact]
    public async Task Numbers_and_dates_as_json_and_iso_have_them_need_no_option()
    {
        var organization = await app.NewOrganization();
        await organization.Create("clients", new { email = Client });
        var job = await Import(organization, "deals", $"name,client.email,dealValue,probability,expectedCloseDate\nA,{Client},1234.56,5.0,2025-04-03\nB,{Client},5,50,2025-04-03\n", options: new() { ["decimalSign"] = ",", ["dateOrder"] = "mdy" });
        Assert.Empty(await organization.Owner.Errors(job));
        Assert.Equal("1234.56 5,5.0 50", string.Join(',', (await organization.Owner.All("deals")).Select(deal => $"{deal["dealValue"]!.GetValue<decimal>().ToString("0.0#", CultureInfo.InvariantCulture)} {deal["probability"]}").Order()));
    }

    [Theory]
    [InlineData("clients", "phone;firstName\n4,91512E+11;A\n", "phone was a number to the spreadsheet, which has rounded it to 4,91512E+11")]
    [InlineData("clients", "ecommerceCustomerId;firstName\n4.91512E+11;A\n", "rounded")]
    [InlineData("clients", "firstName;lastName\n#REF!;A\n", "holds #REF!")]
    [InlineData("clients", "leadScore;firstName\n50%;A\n", "without a percent sign")]
    [InlineData("clients", "leadScore;firstName\n1,2E+05;A\n", "with all of its digits")]
    [InlineData("clients", "leadScore;firstName\nNULL;A\n", "must be a whole number")]
    [InlineData("clients", "leadScore;firstName\n$5;A\n", "must be a whole number")]
    [InlineData("clients", "createdAt;firstName\n26.10.2025 02:30;A\n", "that hour comes twice in Europe/Berlin")]
    [InlineData("clients", "createdAt;firstName\n30.03.2025 02:30;A\n", "that hour is left out in Europe/Berlin")]
    [InlineData("deals", "expectedCloseDate;client.email;name\n31.12.2025 14:30;{c};A\n", "without a time")]
    [InlineData("deals", "dealValue;currency;client.email;name\n5 €;USD;{c};A\n", "is an amount of EUR, and currency is USD")]
    [InlineData("deals", "dealValue;client.email;name\n1.234,567 QTY;{c};A\n", "must be a number")]
    public async Task A_cell_that_would_be_taken_wrong_is_refused_with_its_reason(string resource, string content, string reason)
    {
        var organization = await app.NewOrganization();
        await organization.Execute("UPDATE organizations SET time_zone = 'Europe/Berlin' WHERE id = $1", organization.Id);
        await organization.Create("clients", new { email = Client });
        var job = await Import(organization, resource, content.Replace("{c}", Client, StringComparison.Ordinal));
        var error = Assert.Single((await (await organization.Owner.GetAsync($"/v1/jobs/{job.Id()}/job-errors")).Json()).Items());
        Assert.Contains(reason, error.Text("detail"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_day_and_a_time_are_those_of_the_organization()
    {
        var organization = await app.NewOrganization();
        await organization.Execute("UPDATE organizations SET time_zone = 'Asia/Kathmandu' WHERE id = $1", organization.Id);
        await Import(organization, "clients", "firstName;createdAt\nA;31.12.2024\nB;31.12.2024 5:45 AM\nC;2024-12-31T05:45:00Z\nD;2024-12-31 05:45+01\n");
        Assert.Equal(
            ["A 2024-12-30T18:15", "B 2024-12-31T00:00", "C 2024-12-31T05:45", "D 2024-12-31T04:45"],
            (await organization.Owner.All("clients")).Select(client => $"{client.Text("firstName")} {client.Text("createdAt")[..16]}").Order());
    }

    [Fact]
    public async Task A_currency_beside_an_amount_is_that_of_the_row()
    {
        var organization = await app.NewOrganization();
        var job = await Import(organization, "products", "name;price;cost\nA;1.299,00 €;5 €\nB;CHF 5;\nC;5 €;$4\nD;5 €;4 zł\n");
        Assert.Equal([(4L, "cost"), (5L, "cost")], await organization.Owner.Errors(job));
        Assert.Equal("A 1299 EUR,B 5 CHF", string.Join(',', (await organization.Owner.All("products")).Select(product => $"{product.Text("name")} {product["price"]!.GetValue<decimal>():0} {product.Text("currency")}").Order()));
    }

    [Theory]
    [InlineData("$5", "", "5 USD")]
    [InlineData("$5", "CAD", "5 CAD")]
    [InlineData("£1,250.00", "", null)]
    [InlineData("¥125,000,000", "", null)]
    [InlineData("100.50 kr", "", null)]
    [InlineData("₩5", "", null)]
    [InlineData("₿5", "", null)]
    [InlineData("£5", "USD", null)]
    [InlineData("¥5", "USD", null)]
    [InlineData("kr 5", "EUR", null)]
    [InlineData("$5", "EUR", null)]
    [InlineData("£5", "GBP", "5 GBP")]
    [InlineData("¥5", "CNY", "5 CNY")]
    [InlineData("5 kr", "DKK", "5 DKK")]
    [InlineData("₨ 5", "PKR", "5 PKR")]
    public async Task A_sign_that_several_currencies_share_must_fit_the_row(string price, string currency, string? made)
    {
        var organization = await app.NewOrganization();
        var job = await Import(organization, "products", $"name\tprice\tcurrency\nA\t{price}\t{currency}\n");
        Assert.Equal(made is null ? [(2L, "price")] : [], await organization.Owner.Errors(job));
        Assert.Equal(made ?? "", string.Join(',', (await organization.Owner.All("products")).Select(product => $"{product["price"]!.GetValue<decimal>():0} {product.Text("currency")}")));
    }

    [Fact]
    public async Task Signs_of_one_row_must_agree()
    {
        var organization = await app.NewOrganization();
        var job = await Import(organization, "products", "name;price;cost\nA;€5;£3\nB;£5;3 GBP\nC;£5;$3\n");
        Assert.Equal([(2L, "cost"), (4L, "price")], await organization.Owner.Errors(job));
        Assert.Equal("B GBP", string.Join(',', (await organization.Owner.All("products")).Select(product => $"{product.Text("name")} {product.Text("currency")}")));
    }

    [Fact]
    public async Task A_program_that_quotes_every_cell_says_with_an_empty_one_that_there_is_no_value()
    {
        var (source, target) = (await app.NewOrganization(), await app.NewOrganization());
        await Import(source, "clients", "\"firstName\",\"phone\",\"email\",\"ecommerceCustomerId\",\"leadScore\"\n\"Ann\",\"\",\"ann@example.com\",\"\",\"\"\n\"Bea\",\"+4915112345678\",\"\",\" \",\"5\"\n");
        Assert.Equal([null, null], (await source.Owner.All("clients")).Select(client => client["ecommerceCustomerId"]));
        Assert.Equal((2, 0, 0, 2), Counts(await Import(source, "products", "\"name\",\"sku\",\"ecommerceProductId\"\n\"A\",\"\",\"\"\n\"B\",\"\",\"\"\n")));
        var ann = (await source.Owner.All("clients?email=ann@example.com"))[0].Id();
        await source.Create("notes", new { content = "Called", clientId = ann });
        await source.Create("notes", new { content = "Mailed", clientId = ann });

        await target.Create("clients", new { email = "ann@example.com" });
        var notes = await source.Owner.Download(await source.Owner.Job("/v1/jobs/exports", new { resource = "notes", references = "keys", byteOrderMark = false }));
        var quoted = string.Join('\n', Encoding.UTF8.GetString(notes).Split("\r\n", StringSplitOptions.RemoveEmptyEntries).Select(line => string.Join(',', line.Split(',').Select(cell => $"\"{cell.Trim('"')}\""))));
        Assert.Contains("\"\"", quoted, StringComparison.Ordinal);
        var job = await Import(target, "notes", quoted);
        Assert.Empty(await target.Owner.Errors(job));
        Assert.Equal(2, (await target.Owner.All("notes")).Length);
    }

    [Fact]
    public async Task An_empty_id_of_another_system_is_none_in_json_too()
    {
        var organization = await app.NewOrganization();
        foreach (var empty in new[] { "", " ", "\u200B" })
        {
            Assert.Null((await organization.Create("clients", new { firstName = "a", ecommerceCustomerId = empty }))["ecommerceCustomerId"]);
            Assert.Null((await organization.Create("products", new { name = "a", ecommerceProductId = empty, sku = empty }))["sku"]);
        }
        var client = await organization.Create("clients", new { firstName = "b", ecommerceCustomerId = "7" });
        Assert.Null((await (await organization.Owner.Patch($"/v1/clients/{client.Id()}", new { ecommerceCustomerId = "" }, "*")).Json())["ecommerceCustomerId"]);
        var lines = await organization.Owner.Job("/v1/jobs/imports", new { resource = "clients", format = "json", fileId = await organization.Owner.Upload("""[{"firstName": "c", "ecommerceCustomerId": ""}, {"firstName": "d", "ecommerceCustomerId": ""}]""") });
        Assert.Empty(await organization.Owner.Errors(lines));
    }

    [Theory]
    [InlineData("text/csv; charset=windows-1250", null, "windows-1250")]
    [InlineData("text/csv; charset=\"CP1250\"", null, "windows-1250")]
    [InlineData("text/csv; charset=windows-1251", "Windows-1250", "windows-1250")]
    [InlineData("text/csv; charset=us-ascii", "cp1250", "windows-1250")]
    public async Task The_charset_with_which_a_file_came_counts_as_if_it_were_the_option(string contentType, string? option, string read)
    {
        var organization = await app.NewOrganization();
        var body = new JsonObject { ["resource"] = "partners", ["fileId"] = await UploadAs(organization, CsvEncoding.Find("windows-1250").GetBytes("name\nDvořák\n"), contentType) };
        if (option is not null)
        {
            body["encoding"] = option;
        }
        var job = await organization.Owner.Job("/v1/jobs/imports", body);
        Assert.Equal(read, job["result"]!["dialect"]!["encoding"]!.GetValue<string>());
        Assert.Equal("Dvořák", Assert.Single(await organization.Owner.All("partners")).Text("name"));
    }

    [Fact]
    public async Task A_charset_that_is_not_known_is_told()
    {
        var organization = await app.NewOrganization();
        var file = await UploadAs(organization, "name\nA\n"u8.ToArray(), "text/csv; charset=klingon");
        var refused = await (await organization.Owner.PostAsJsonAsync("/v1/jobs/imports", new { resource = "partners", fileId = file })).Problem(ProblemType.Validation);
        Assert.Equal(["/fileId"], refused.Fields());
        await organization.Owner.Job("/v1/jobs/imports", new { resource = "partners", fileId = file, encoding = "UTF-8" });
    }

    [Fact]
    public async Task Past_bookings_come_in_behind_tours_that_are_over()
    {
        var organization = await app.NewOrganization();
        await organization.Create("products", new { name = "Dive", sku = "D" });
        await organization.Create("clients", new { email = Client });
        await organization.Create("clients", new { email = "bea@example.com" });
        Assert.Equal((2, 0, 0, 2), Counts(await Import(organization, "tours", "product.sku,startDate,endDate,status,maxParticipants\nD,2024-05-01T09:00:00Z,2024-05-02T09:00:00Z,completed,3\nD,2024-06-01T09:00:00Z,2024-06-02T09:00:00Z,cancelled,3\n")));
        var job = await Import(organization, "client-tours", $"client.email,tour.startDate,status,participants\n{Client},2024-05-01T09:00:00Z,confirmed,2\n{Client},2024-06-01T09:00:00Z,booked,1\nbea@example.com,2024-05-01T09:00:00Z,booked,2\n");
        // As many as there were places, even so.
        Assert.Equal([(4L, "participants")], await organization.Owner.Errors(job));
        Assert.Equal([1, 2], (await organization.Owner.All("tours")).Select(tour => tour["currentParticipants"]!.GetValue<int>()).Order());
    }

    [Theory]
    [InlineData("name|conditions\nA|x\n", "`delimiter`")]
    [InlineData("name^conditions\nA^x\n", "`delimiter`")]
    [InlineData("%PDF-1.7\n", "PDF")]
    [InlineData("\uFEFF<html><table><tr><td>name</td></tr></table></html>", "page of the web")]
    [InlineData("\n <?xml version=\"1.0\"?>\n", "page of the web")]
    [InlineData("{\\rtf1\\ansi\n", "RTF")]
    [InlineData("[{\"name\": \"A\"}]", "`\"format\": \"json\"`")]
    [InlineData("{\"name\": \"A\"}\n{\"name\": \"B\"}\n", "`\"format\": \"json\"`")]
    [InlineData("name,name\nA,B\n", "name (2)")]
    public async Task What_is_no_sheet_is_told_by_what_it_is(string content, string told)
    {
        var organization = await app.NewOrganization();
        Assert.Contains(told, (await Import(organization, "partners", content, "failed")).Text("error"), StringComparison.Ordinal);
        Assert.Empty(await organization.Owner.All("partners"));
    }

    [Fact]
    public async Task A_file_in_utf_32_or_compressed_is_told_by_what_it_is()
    {
        var organization = await app.NewOrganization();
        foreach (var (content, told) in new (byte[], string)[]
        {
            ([.. Encoding.UTF32.GetPreamble(), .. Encoding.UTF32.GetBytes("name\nA\n")], "UTF-32"), (Encoding.UTF32.GetBytes("name\nA\n"), "UTF-32"), (new UTF32Encoding(true, false).GetBytes("name\nA\n"), "UTF-32"), ([0x1F, 0x8B, 8, 0, 0], "gzip"),
        })
        {
            Assert.Contains(told, (await Import(organization, "partners", content, "failed")).Text("error"), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Columns_of_one_name_are_numbered_for_the_mapping()
    {
        var organization = await app.NewOrganization();
        const string File = "First Name,Phone,Phone,phone,Notes,Notes,id,id\nAnn,+4915112345678,+4915112345679,x,a,b,1,2\n";
        Assert.Contains("\"Phone (2)\"", (await Import(organization, "clients", File, "failed", mapping: new() { ["First Name"] = "firstName", ["Notes"] = "" })).Text("error"), StringComparison.Ordinal);
        var job = await Import(organization, "clients", File, mapping: new() { ["First Name"] = "firstName", ["Phone"] = "", ["Phone (2)"] = "phone", ["phone (3)"] = "", ["Notes"] = "" });
        Assert.Empty(await organization.Owner.Errors(job));
        Assert.Equal("+4915112345679", Assert.Single(await organization.Owner.All("clients")).Text("phone"));
        Assert.Contains("Two columns", (await Import(organization, "clients", "a,b\nx,y\n", "failed", mapping: new() { ["a"] = "firstName", ["b"] = "firstName" })).Text("error"), StringComparison.Ordinal);
    }

    private static async Task<Guid> UploadAs(TestOrganization organization, byte[] content, string contentType)
    {
        using var body = new ByteArrayContent(content);
        body.Headers.TryAddWithoutValidation("Content-Type", contentType);
        return (await (await organization.Owner.PostAsync("/v1/files?name=a.csv", body)).Json(System.Net.HttpStatusCode.Created)).Id();
    }

    [Theory]
    [InlineData("windows-1251", "Борис")]
    [InlineData("macintosh", "Käse")]
    [InlineData("shift_jis", "田中")]
    public async Task An_encoding_that_the_bytes_do_not_tell_is_asked_for(string encoding, string name)
    {
        var organization = await app.NewOrganization();
        var content = CsvEncoding.Find(encoding).GetBytes($"name,conditions\n{name},x\n");
        Assert.Contains("`encoding`", (await Import(organization, "partners", content, "failed")).Text("error"), StringComparison.Ordinal);
        await Import(organization, "partners", content, options: new() { ["encoding"] = encoding });
        Assert.Equal(name, Assert.Single(await organization.Owner.All("partners")).Text("name"));
    }

    [Fact]
    public async Task A_mark_counts_before_the_option()
    {
        var organization = await app.NewOrganization();
        var job = await Import(organization, "partners", Encoding.UTF8.GetPreamble().Concat("name\nKäse\n"u8.ToArray()).ToArray(), options: new() { ["encoding"] = "windows-1252" });
        Assert.Equal("utf-8", job["result"]!["dialect"]!["encoding"]!.GetValue<string>());
        Assert.Equal("Käse", Assert.Single(await organization.Owner.All("partners")).Text("name"));
    }

    [Theory]
    [InlineData("utf-16le")]
    [InlineData("utf-16be")]
    public async Task A_line_of_utf_16_that_is_broken_costs_itself_alone(string encoding)
    {
        var organization = await app.NewOrganization();
        var content = CsvEncoding.Find(encoding).GetBytes("name,conditions\nA,\"two\nlines\"\nX,\"never closed\nB,ok\n");
        var half = Encoding.Unicode.GetBytes("X").Concat(new byte[] { 0xD8, 0xD8 }).ToArray();
        var job = await Import(organization, "partners", content.Concat(half).Append((byte)'x').ToArray());
        Assert.Equal([4L, 6L], (await organization.Owner.Errors(job)).Select(error => error.Line));
        Assert.Equal(["A", "B"], (await organization.Owner.All("partners")).Select(partner => partner.Text("name")).Order());
    }

    [Fact]
    public async Task A_wrong_option_is_refused_and_a_wrong_delimiter_named()
    {
        var organization = await app.NewOrganization();
        var file = await organization.Owner.Upload("name;conditions\nA;B\n");
        foreach (var (option, value) in new[] { ("encoding", "klingon"), ("delimiter", "|"), ("decimalSign", "x"), ("dateOrder", "ymd") })
        {
            var refused = await (await organization.Owner.PostAsJsonAsync("/v1/jobs/imports", new JsonObject { ["resource"] = "partners", ["fileId"] = file, [option] = value })).Problem(ProblemType.Validation);
            Assert.Equal([$"/{option}"], refused.Fields());
        }
        foreach (var (option, value) in new[] { ("encoding", "utf-8"), ("delimiter", ","), ("decimalSign", "."), ("dateOrder", "dmy") })
        {
            var misplaced = await (await organization.Owner.PostAsJsonAsync("/v1/jobs/imports", new JsonObject { ["resource"] = "partners", ["fileId"] = file, ["format"] = "json", [option] = value })).Problem(ProblemType.Validation);
            Assert.Equal([$"/{option}"], misplaced.Fields());
        }
        var failed = await Import(organization, "partners", "name;conditions\nA;B\n", "failed", new() { ["delimiter"] = "," });
        Assert.Contains("`delimiter`", failed.Text("error"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_dry_run_tells_what_was_found_and_keeps_nothing()
    {
        var organization = await app.NewOrganization();
        var job = await Import(organization, "partners", "name;rating\nA;4,5\n", options: new() { ["dryRun"] = true });
        Assert.Equal((";", ",", true), (job["result"]!["dialect"]!["delimiter"]!.GetValue<string>(), job["result"]!["dialect"]!["decimalSign"]!.GetValue<string>(), job["result"]!["dryRun"]!.GetValue<bool>()));
        Assert.Empty(await organization.Owner.All("partners"));
    }

    private static (int Imported, int Failed, int Skipped, int Lines) Counts(JsonObject job) =>
        (job["result"]!["imported"]!.GetValue<int>(), job["result"]!["failed"]!.GetValue<int>(), job["result"]!["skipped"]!.GetValue<int>(), job["result"]!["lines"]!.GetValue<int>());

    private static Task<JsonObject> Import(TestOrganization organization, string resource, string content, string expected = "completed", JsonObject? options = null, JsonObject? mapping = null) =>
        Import(organization, resource, Encoding.UTF8.GetBytes(content), expected, options, mapping);

    private static async Task<JsonObject> Import(TestOrganization organization, string resource, byte[] content, string expected = "completed", JsonObject? options = null, JsonObject? mapping = null)
    {
        var body = options?.DeepClone().AsObject() ?? [];
        body["resource"] = resource;
        body["fileId"] = await organization.Owner.Upload(content);
        if (mapping is not null)
        {
            body["mapping"] = mapping;
        }
        return await organization.Owner.Job("/v1/jobs/imports", body, expected);
    }
}
