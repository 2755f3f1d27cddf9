using System.Text.Json.Nodes;
using AgentPlatform.Api.Tests.TestApp;

namespace AgentPlatform.Api.Tests.Jobs;

/// <summary>The product as it meets strangers: nothing private may be called, and files and archives have small limits.</summary>
public sealed class ArchiveApp : EngineApp
{
    public const int FileMaxBytes = 4 * 1024 * 1024;
    public const int FilesPerOrganization = 6 * 1024 * 1024;
    public const int MaxRows = 3000;

    protected override Dictionary<string, string?> Settings() => new(base.Settings())
    {
        ["FILE_MAX_BYTES"] = $"{FileMaxBytes}",
        ["FILES_PER_ORGANIZATION_BYTES"] = $"{FilesPerOrganization}",
        ["ARCHIVE_MAX_ROWS"] = $"{MaxRows}",
        ["ALLOW_PRIVATE_ENDPOINTS"] = "false",
    };
}

/// <summary>Archives as owners export and import them.</summary>
internal static class Archives
{
    public static async Task<ForgedArchive> Export(this TestOrganization organization) =>
        ForgedArchive.Of(await organization.Owner.Download(await organization.Owner.Job("/v1/organization/export", null)));

    public static Task<JsonObject> Import(this TestOrganization organization, ForgedArchive archive) => organization.Import(archive.ToBytes(), "completed");

    public static async Task<JsonObject> Import(this TestOrganization organization, byte[] archive, string? expected) =>
        await organization.Owner.Job("/v1/organization/import", new { fileId = await organization.Owner.Upload(archive, "organization.zip") }, expected);

    /// <summary>An import that is refused; returns why.</summary>
    public static async Task<string> Refusal(this TestOrganization organization, ForgedArchive archive) => (await organization.Import(archive.ToBytes(), "failed")).Text("error");
}
