using System.Net;
using System.Net.Http.Json;
using AgentPlatform.Api.Tests.TestApp;
using AgentPlatform.Api.Tests.WebChat;
using AgentPlatform.Browser.Tests.Chromium;

namespace AgentPlatform.Browser.Tests.Account;

/// <summary>The pages behind links to accounts, in a real browser.</summary>
[Collection("browser")]
public sealed class AccountPageTests(WebChatApp app, ChromiumBrowser browser) : IClassFixture<WebChatApp>, IClassFixture<ChromiumBrowser>
{
    private const string About = "document.getElementById('about').innerText";
    private const string Problem = "document.getElementById('problem').innerText";

    [Fact]
    public async Task An_invitation_is_accepted_by_its_link()
    {
        var organization = await app.NewOrganization();
        var email = $"grace-{Guid.NewGuid():N}@example.com";
        var invitation = await (await organization.Owner.PostAsJsonAsync("/v1/invitations", new { email, role = "member" })).Json(HttpStatusCode.Created);
        var page = await browser.NewPage();

        await page.Open($"{app.Address}accept-invitation#token={invitation["token"]}");
        await page.Until($"{About}.includes('{email}') && {About}.includes('member')");
        await page.Until("document.activeElement.id === 'given'");
        await page.Type("short");
        await page.Press("Enter");
        await page.Until($"{Problem} === 'The password must have at least 10 characters.'");
        Assert.Equal("new-password", await page.Evaluate<string>("document.getElementById('given').autocomplete"));
        await page.Evaluate<bool>("(document.getElementById('given').value = '', true)");
        await page.Type("seven blue elephants");
        await page.Press("Enter");

        await page.Until($"{About}.startsWith('You are in') && document.getElementById('form').hidden && location.hash === ''");
        var signIn = await app.Anonymous.PostAsJsonAsync("/v1/auth/login", new { email, password = "seven blue elephants" });
        Assert.Equal(HttpStatusCode.OK, signIn.StatusCode);
        await page.Send("Page.close");
    }

    [Fact]
    public async Task A_new_password_is_asked_for_by_an_address()
    {
        var page = await browser.NewPage();
        await page.Open($"{app.Address}forgot-password");
        await page.Until("document.activeElement.id === 'given'");
        await page.Type("grace@example.com");
        await page.Press("Enter");
        await page.Until($"{About}.startsWith('If an account has that address') && document.getElementById('form').hidden");
        await page.Send("Page.close");
    }

    [Theory]
    [InlineData("accept-invitation", "")]
    [InlineData("accept-invitation", "#token=nothing")]
    [InlineData("reset-password", "")]
    public async Task A_link_that_leads_nowhere_says_so(string name, string hash)
    {
        var page = await browser.NewPage();
        await page.Open($"{app.Address}{name}{hash}");
        await page.Until($"{About}.length > 0 && !{About}.startsWith('Looking')");
        Assert.True(await page.Evaluate<bool>("document.getElementById('form').hidden"));
        await page.Send("Page.close");
    }
}
