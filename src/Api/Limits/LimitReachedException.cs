namespace AgentPlatform.Api.Limits;

/// <summary>A limit that is known only within the work; the message names it. It is answered with 429.</summary>
public sealed class LimitReachedException(string limit) : Exception(limit);
