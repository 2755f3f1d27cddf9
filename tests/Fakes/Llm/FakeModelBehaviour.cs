namespace AgentPlatform.Fakes.Llm;

/// <summary>What the emulated model does with one request that is right.</summary>
public abstract record FakeModelBehaviour
{
    /// <summary>How long it thinks before the first byte.</summary>
    public TimeSpan Delay { get; init; }

    /// <summary>Answers. Streamed as asked for.</summary>
    /// <param name="Text">The answer; <c>{handover}</c> stands for <see cref="FakeModelRequest.HandoverMark"/>.</param>
    /// <param name="TellUsage">False: no usage, as a server that doesn't know <c>include_usage</c>.</param>
    /// <param name="FinishReason"><c>stop</c>, <c>length</c> or <c>content_filter</c>.</param>
    public sealed record Answer(string Text, bool TellUsage = true, string FinishReason = "stop") : FakeModelBehaviour
    {
        /// <summary>Tokens that it says the request took in all; null: as many as the texts are long.</summary>
        public int? Tokens { get; init; }
    }

    /// <summary>Refuses with a status and the error object of the protocol.</summary>
    /// <param name="Headers">Such as <c>retry-after</c>.</param>
    public sealed record Refuse(int Status, string Code, string Message = "emulated", params (string Name, string Value)[] Headers) : FakeModelBehaviour;

    /// <summary>Never answers.</summary>
    public sealed record Hang : FakeModelBehaviour;

    /// <summary>Begins to stream and then says nothing more, the connection open.</summary>
    public sealed record HangMidStream(string Text) : FakeModelBehaviour;

    /// <summary>Begins to stream and ends the connection.</summary>
    public sealed record StopMidStream(string Text) : FakeModelBehaviour;

    /// <summary>Begins to stream and ends the body in order, without a reason and without <c>[DONE]</c>.</summary>
    public sealed record EndEarly(string Text) : FakeModelBehaviour;

    /// <summary>Begins to stream and sends an error object in place of the next chunk.</summary>
    public sealed record ErrorMidStream(string Text, string Code = "server_error") : FakeModelBehaviour;

    /// <summary>Sends this with status 200.</summary>
    public sealed record Garbage(string Body, string ContentType = "text/event-stream") : FakeModelBehaviour;

    /// <summary>Streams for as long as it is listened to.</summary>
    public sealed record Endless : FakeModelBehaviour;

    /// <summary>Ends the connection without an answer.</summary>
    public sealed record Drop : FakeModelBehaviour;
}
