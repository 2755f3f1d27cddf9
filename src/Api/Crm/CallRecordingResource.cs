using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Resources;
using static AgentPlatform.Api.Shapes.Fields;

namespace AgentPlatform.Api.Crm;

/// <summary>Recordings of calls.</summary>
internal static class CallRecordingResource
{
    public static readonly Resource CallRecordings = new()
    {
        Path = "call-recordings",
        Singular = "callRecording",
        Plural = "callRecordings",
        Table = "call_recordings",
        Description = "Recordings of calls: who spoke with whom, how long, where the sound is kept, and what was said.",
        Import = new() { Kept = ["createdAt"] },
        Create = Role.Member,
        Update = Role.Member,
        Delete = Role.Manager,
        DefaultSort = "-startedAt",
        Fields =
        [
            Reference("conversationId", "conversations").Nullable().Fixed().Filtered(),
            Reference("clientId", "clients").Nullable().Filtered(),
            Reference("activityId", "activities").Nullable().Filtered().About("The call among the activities."),
            Reference("agentId", "agents").Nullable().Filtered(),
            Choice("status", "recording", "processing", "completed", "failed").WithDefault("completed").Filtered(),
            Choice("direction", "inbound", "outbound").WithDefault("inbound").Filtered(),
            Text("fromNumber", 50).Nullable().Searched(),
            Text("toNumber", 50).Nullable().Searched(),
            Url("recordingUrl").Nullable().About("Where the telephone system keeps the sound."),
            Reference("fileId", "files").Nullable().About("The sound as a file of this organization, downloaded at `/v1/files/{id}/content`; null once that file is gone."),
            Text("storagePath", 1000).Nullable().About("Where this installation keeps it."),
            Matching("contentType", "^audio/[A-Za-z0-9.+-]{1,60}$", "an audio type, such as audio/mpeg", "audio/mpeg", 100).WithDefault("audio/mpeg"),
            new("sizeBytes", new Shapes.IntegerType(0, 10_000_000_000, IsLong: true)) { IsNullable = true },
            Integer("durationSeconds", 0, 86_400).Nullable().Ranged(),
            Text("transcript", 200_000).Nullable().Searched().Detail(),
            Json("metadata"),
            Timestamp("startedAt").Ranged().Sorted().About("Now, unless it is given."),
            Timestamp("endedAt").Nullable(),
        ],
        Example = new() { ["direction"] = "inbound", ["fromNumber"] = "+15550001111", ["recordingUrl"] = "https://example.com/call.mp3", ["durationSeconds"] = 184, ["startedAt"] = "2026-05-20T09:30:00Z" },
        BeforeWrite = KeepFile,
        Checks = [new("call_ends_after_it_starts", "endedAt", "/endedAt must not be before startedAt.")],
    };

    /// <summary>The file was uploaded for a while only; from now on it is kept, and goes with the recording.</summary>
    private static async Task<Problem?> KeepFile(ResourceChange change) =>
        !change.IsDeletion && change.Values.Id("fileId") is { } file && file != (change.Before?.Raw("fileId") as Guid?)
        && await change.Session.ExecuteAsync(
            "UPDATE files SET purpose = 'recording', expires_at = NULL, version = version + 1 WHERE organization_id = $1 AND id = $2 AND is_complete AND purpose IN ('import', 'recording')",
            change.Request.Cancelled, change.Caller.OrganizationId, file) == 0
            ? Problem.Invalid("/fileId", "/fileId must name an uploaded file that nothing else uses.")
            : null;
}
