using System.Net;
using System.Net.Http.Json;
using AgentPlatform.Api.Tests.TestApp;
using AgentPlatform.Fakes.Llm;
using AgentPlatform.Fakes.Time;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace AgentPlatform.Api.Tests.Billing;

/// <summary>An installation with a model that takes 100 tokens an answer, on a clock that can be put forward. It begins in the last hour of a month.</summary>
public sealed class LimitApp : EngineApp
{
    public const int TokensOfAnAnswer = 100;

    public FakeModelServer Model { get; private set; } = null!;

    public ShiftedTimeProvider Clock { get; } = new(NextMonth(TimeProvider.System.GetUtcNow()) - TimeSpan.FromHours(1));

    /// <summary>Midnight of the first of the month after a moment.</summary>
    public static DateTimeOffset NextMonth(DateTimeOffset at) => new DateTimeOffset(at.Year, at.Month, 1, 0, 0, 0, TimeSpan.Zero).AddMonths(1);

    /// <summary>Whoever looks after the installation, signed in now: the clock may have left earlier tokens behind.</summary>
    public async Task<HttpClient> Root()
    {
        var home = await NewOrganization();
        await home.Execute("UPDATE users SET is_super_admin = true WHERE id = $1", home.OwnerId);
        return await home.SignIn(home.OwnerEmail);
    }

    /// <summary>An organization on a plan of its own (without a price, nothing falls due when the clock is put forward), with a WhatsApp number whose agent asks the model.</summary>
    public async Task<(TestOrganization Organization, WhatsAppLine Line)> NewTenant(object? limits = null, decimal price = 0)
    {
        var organization = await NewOrganization();
        var root = await Root();
        var code = $"plan-{Guid.NewGuid():N}";
        await (await root.PostAsJsonAsync("/v1/pricing-plans", new { code, tier = "scale", name = "Scale", priceMonthly = price, graceDays = 1 })).Json(HttpStatusCode.Created);
        await (await root.PostAsJsonAsync($"/v1/organizations/{organization.Id}/subscription", new { plan = code, status = "active" })).Json(HttpStatusCode.Created);
        if (limits is not null)
        {
            await (await root.Patch($"/v1/organizations/{organization.Id}/subscription", limits, "*")).Json();
        }
        await organization.Create("llm-credentials", new { provider = "openai_compatible", baseUrl = Model.BaseUrl, apiKey = "a key" });
        var model = (await organization.Create("llm-models", new { provider = "openai_compatible", name = "Emulated", modelId = "emulated-1" })).Id();
        var agent = (await organization.Create("agents", new { name = "Guide", status = "active", llmModelId = model, responseDelaySeconds = 0 })).Id();
        return (organization, await NewLine(organization, agent));
    }

    protected override async Task OpenDatabase()
    {
        Model = await FakeModelServer.StartAsync();
        Model.Behave = static request => new FakeModelBehaviour.Answer($"You said: {request.CustomerText}") { Tokens = TokensOfAnAnswer };
        await base.OpenDatabase();
    }

    protected override async Task CloseDatabase()
    {
        await base.CloseDatabase();
        await Model.DisposeAsync();
    }

    protected override Dictionary<string, string?> Settings() => new(base.Settings()) { ["Engine:Usage:RenewalInterval"] = "00:00:00.200" };

    protected override void Configure(WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<TimeProvider>(Clock);
        base.Configure(builder);
    }
}
