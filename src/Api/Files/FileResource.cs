using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Resources;
using AgentPlatform.Api.Shapes;
using AgentPlatform.Data.Files;
using AgentPlatform.Data.Texts;
using static AgentPlatform.Api.Shapes.Fields;

namespace AgentPlatform.Api.Files;

/// <summary>Files: uploaded for imports, made by exports.</summary>
internal static class FileResource
{
    public static readonly string[] Purposes = ["import", "export", "archive", "personal_data", "attachment", "recording", "knowledge"];

    /// <summary>What somebody calls a file: one line that is no path, and reads as it is written (marks of direction can make an ending look like another one).</summary>
    public static readonly TextType NameType = new(
        255, 1, Pattern: @"^[^\u0000-\u001F\u007F-\u009F/\\\u202A-\u202E\u2066-\u2069]+$", Form: "a file name of 1 to 255 characters, without slashes, control characters and marks of direction", Example: "clients.csv")
    {
        Spelling = TypedText.Line,
    };

    public static readonly Resource Files = new()
    {
        Path = "files",
        Singular = "file",
        Plural = "files",
        Table = "files",
        Description = "Files: uploaded for imports, made by exports. The content is at `/v1/files/{id}/content`, for the role `minimumRole` and above, until `expiresAt`. An upload (`import`) is seen by whoever uploaded it, and by admins and owners; of API keys, only by the one that uploaded it.",
        Read = Role.Member,
        Delete = Role.Manager,
        Fields =
        [
            Choice("purpose", Purposes).ReadOnly().Filtered(),
            Text("name", FileLimits.MaxNameLength).ReadOnly(),
            Text("contentType", FileLimits.MaxNameLength).ReadOnly(),
            Long("size").ReadOnly().About("Bytes."),
            Text("sha256", 64).Nullable().ReadOnly().About("Checksum of the content, hexadecimal.") with { Expression = "encode(t.sha256, 'hex')" },
            Flag("isComplete").ReadOnly().About("False while it is being written."),
            Choice("minimumRole", Roles.Names).ReadOnly(),
            Reference("userId", "users").Nullable().ReadOnly().Filtered(),
            Reference("jobId", "jobs").Nullable().ReadOnly().Filtered().About("The job that made it."),
            Timestamp("expiresAt").Nullable().ReadOnly(),
        ],
    };
}
