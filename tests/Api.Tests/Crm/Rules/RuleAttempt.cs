using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using AgentPlatform.Api.Tests.Jobs;
using AgentPlatform.Api.Tests.TestApp;
using Npgsql;

namespace AgentPlatform.Api.Tests.Crm.Rules;

/// <summary>Tries to break one rule in one way.</summary>
internal sealed class RuleAttempt(RuleWorld world, RuleCase rule, Scene scene)
{
    /// <summary>What the product said to the attempt, for the failure of a test.</summary>
    private string _said = "";

    private HttpClient Actor => scene.Actor ?? world.Organization.Owner;

    private string Path => $"/v1/{rule.Resource.Path}";

    public async Task Try(Way way)
    {
        _said = "";
        var before = await Rows();
        var isRefused = way switch
        {
            Way.Post => await IsRefused(await Actor.PostAsJsonAsync(Path, rule.Create!(scene))),
            Way.Patch => await IsRefused(await Actor.Patch($"{Path}/{scene["row"]}", rule.Change!(scene), "*")),
            Way.BulkUpdate => await IsRefused(await Actor.PostAsJsonAsync($"{Path}/bulk-update", new { ids = new[] { scene["row"] }, change = rule.Change!(scene) })),
            Way.ImportCsv or Way.ImportJson => await Import(way == Way.ImportCsv, rule.Create!(scene), null),
            Way.UpsertCsv or Way.UpsertJson => await Import(way == Way.UpsertCsv, await Keyed(), rule.Resource.Import!.Keys[0]),
            Way.SqlInsert => await IsRefused(Insert(rule.Create!(scene))),
            Way.SqlUpdate => await IsRefused(Update(rule.Change!(scene))),
            _ => await Act(),
        };
        var expected = way == Way.Action ? rule.ActionOutcome : way is Way.SqlInsert or Way.SqlUpdate ? rule.SqlOutcome ?? rule.Outcome : rule.Outcome;
        // What a file says of a field that the product sets by itself is passed over; SQL can name it.
        Assert.True(isRefused == (expected == Outcome.Refused || (expected == Outcome.Ignored && way is Way.Post or Way.Patch or Way.BulkUpdate)), $"{rule.Rule}: {way} {(isRefused ? $"is refused: {_said}" : "is taken")}");
        Assert.True(await Holds(), $"{rule.Rule}: broken by {way}");
        if (isRefused)
        {
            Assert.Equal(before, await Rows());
        }
    }

    private async Task<bool> Act()
    {
        var outcomes = new List<bool>();
        foreach (var (name, body) in rule.Actions)
        {
            outcomes.Add(await IsRefused(await Actor.PostAsJsonAsync($"{Path}/{scene["row"]}/{name}", body(scene))));
        }
        Assert.Single(outcomes.Distinct());
        return outcomes[0];
    }

    /// <summary>A refusal says which field it is about.</summary>
    private async Task<bool> IsRefused(HttpResponseMessage answer)
    {
        if (answer.IsSuccessStatusCode)
        {
            return false;
        }
        _said = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.StatusCode is HttpStatusCode.BadRequest or HttpStatusCode.Conflict or HttpStatusCode.Forbidden, _said);
        Assert.NotEmpty((await answer.Json(answer.StatusCode)).Fields());
        return true;
    }

    /// <summary>A refusal is a constraint's, by its name.</summary>
    private async Task<bool> IsRefused(Task statement)
    {
        try
        {
            await statement;
            return false;
        }
        catch (PostgresException failure)
        {
            Assert.True(failure.SqlState is PostgresErrorCodes.CheckViolation or PostgresErrorCodes.UniqueViolation, failure.ToString());
            Assert.False(string.IsNullOrEmpty(failure.ConstraintName), failure.ToString());
            _said = failure.MessageText;
            return true;
        }
    }

    private async Task<bool> Import(bool isCsv, JsonObject body, string? key)
    {
        var content = isCsv
            ? $"{string.Join(',', body.Select(member => member.Key))}\n{string.Join(',', body.Select(member => Csv(member.Value)))}\n"
            : new JsonArray(body).ToJsonString();
        var file = await Actor.Upload(content);
        var job = await Actor.Job("/v1/jobs/imports", new { resource = rule.Resource.Path, fileId = file, format = isCsv ? "csv" : "json", mode = key is null ? "create" : "upsert", key });
        var failed = job["result"]!["failed"]!.GetValue<int>();
        Assert.Equal(1, failed + job["result"]!["imported"]!.GetValue<int>());
        if (failed == 1)
        {
            var error = Assert.Single((await (await Actor.GetAsync($"/v1/jobs/{job.Id()}/job-errors")).Json()).Items());
            _said = error.Text("detail");
            Assert.NotNull(error["field"]);
        }
        return failed == 1;
    }

    private static string Csv(JsonNode? value) => value switch
    {
        null => "",
        JsonValue text when text.TryGetValue<string>(out var content) => $"\"{content.Replace("\"", "\"\"", StringComparison.Ordinal)}\"",
        _ => $"\"{value.ToJsonString().Replace("\"", "\"\"", StringComparison.Ordinal)}\"",
    };

    /// <summary>The change, with the key by which an upsert finds the row.</summary>
    private async Task<JsonObject> Keyed()
    {
        var key = rule.Resource.Shape.Find(rule.Resource.Import!.Keys[0])!;
        var value = await world.Read<string>($"SELECT {key.Column} FROM {rule.Resource.Table} WHERE organization_id = $1 AND id = $2", scene["row"]);
        Assert.False(string.IsNullOrEmpty(value), $"{rule.Rule}: the row has no {key.Name}");
        var keyed = new JsonObject { [key.Name] = value };
        if (rule.Resource.Import.Within is { } within)
        {
            keyed[within] = (await world.Read<Guid>($"SELECT {rule.Resource.Shape.Find(within)!.Column} FROM {rule.Resource.Table} WHERE organization_id = $1 AND id = $2", scene["row"])).ToString();
        }
        return RuleWorld.With(keyed, rule.Change!(scene));
    }

    private Task Insert(JsonObject body)
    {
        var columns = Columns(body);
        return world.Sql(
            $"INSERT INTO {rule.Resource.Table} (organization_id, {string.Join(", ", columns.Select(column => column.Key))}) SELECT $1, {string.Join(", ", columns.Select(column => $"r.{column.Key}"))} FROM jsonb_populate_record(NULL::{rule.Resource.Table}, $2) r",
            RuleWorld.Json(columns));
    }

    private Task Update(JsonObject body)
    {
        var columns = Columns(body);
        return world.Sql(
            $"UPDATE {rule.Resource.Table} t SET {string.Join(", ", columns.Select(column => $"{column.Key} = r.{column.Key}"))} FROM jsonb_populate_record(NULL::{rule.Resource.Table}, $2) r WHERE t.organization_id = $1 AND t.id = $3",
            RuleWorld.Json(columns), scene["row"]);
    }

    private JsonObject Columns(JsonObject body) => new(body.Select(member => KeyValuePair.Create(rule.Resource.Shape.Find(member.Key)!.Column, member.Value?.DeepClone())));

    private async Task<bool> Holds()
    {
        var sql = scene.Ids.Aggregate(rule.Holds, (text, id) => text.Replace($"{{{id.Key}}}", $"'{id.Value}'", StringComparison.Ordinal)).Replace("{mark}", scene.Mark, StringComparison.Ordinal);
        return await world.Read<bool>($"SELECT coalesce(({sql}), false) WHERE $1::uuid IS NOT NULL");
    }

    /// <summary>All rows of the resource, to the last value.</summary>
    private Task<string?> Rows() => world.Read<string>($"SELECT md5(coalesce(string_agg(to_jsonb(t)::text, '' ORDER BY t.id), '')) FROM {rule.Resource.Table} t WHERE t.organization_id = $1");
}
