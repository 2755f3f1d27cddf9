namespace AgentPlatform.Data;

/// <summary>Ids of rows: UUID version 7, so that rows made together stand together in an index.</summary>
public static class Uuid
{
    /// <summary>A new id that carries the clock's time in milliseconds.</summary>
    public static Guid New(TimeProvider time) => Guid.CreateVersion7(time.GetUtcNow());
}
