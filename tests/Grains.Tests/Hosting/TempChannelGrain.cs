using AgentPlatform.Channels;

namespace AgentPlatform.Grains.Tests.Hosting;

internal sealed class TempChannelGrain : Grain, IChannelGrain
{
    public ValueTask<SendPermit> ReserveSend(int count) => ValueTask.FromResult(new SendPermit(TimeSpan.Zero));
    public Task ReportThrottled(TimeSpan retryAfter) => Task.CompletedTask;
    public Task ReportBroken(string code, string reason) => Task.CompletedTask;
}
