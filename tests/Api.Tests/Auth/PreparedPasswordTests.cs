using System.Net;
using System.Net.Http.Json;
using System.Text;
using AgentPlatform.Api.Auth;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Tests.TestApp;
using Microsoft.AspNetCore.Identity;

namespace AgentPlatform.Api.Tests.Auth;

/// <summary>A password and an address are the same from every keyboard.</summary>
public sealed class PreparedPasswordTests(PeopleApp app) : IClassFixture<PeopleApp>
{
    [Theory]
    [InlineData("Žluťoučký kůň 7")]
    [InlineData("mật khẩu của tôi")]
    [InlineData("ガーデン パスワード")]
    public async Task A_password_is_the_same_composed_and_decomposed(string password)
    {
        var email = $"Ann.{Guid.NewGuid():N}@Example.com";
        await (await SignUp($" {email}\u200b", password.Normalize(NormalizationForm.FormD))).Json(HttpStatusCode.Created);
        foreach (var form in new[] { NormalizationForm.FormC, NormalizationForm.FormD })
        {
            await (await TestOrganization.Login(app.Anonymous, email.ToUpperInvariant(), password.Normalize(form).Replace(' ', '\u00a0'))).Json();
        }
        await (await TestOrganization.Login(app.Anonymous, email, password + "e")).Problem(ProblemType.InvalidCredentials);
    }

    [Theory]
    [InlineData("seven blue\u0007 elephants")]
    [InlineData("seven blue elephants\n")]
    [InlineData("seven blue elephants\u200b")]
    public async Task A_password_that_cant_be_typed_again_is_refused(string password) =>
        Assert.Equal(["/password"], (await (await SignUp($"{Guid.NewGuid():N}@example.com", password)).Problem(ProblemType.Validation)).Fields());

    [Theory]
    [InlineData("Zürcher Straße 12", NormalizationForm.FormD, NormalizationForm.FormD)]
    [InlineData("piñata piñata 12", NormalizationForm.FormD, NormalizationForm.FormC)]
    [InlineData("blaue\u00a0Elefanten 77", NormalizationForm.FormC, NormalizationForm.FormC)]
    public async Task A_password_that_was_hashed_as_it_came_still_works_and_is_hashed_again(string password, NormalizationForm hashed, NormalizationForm typed)
    {
        var organization = await app.NewOrganization();
        var old = new PasswordHasher<object>().HashPassword(this, password.Normalize(hashed));
        await organization.Execute("UPDATE users SET password_hash = $2 WHERE id = $1", organization.OwnerId, old);
        await (await TestOrganization.Login(app.Anonymous, organization.OwnerEmail, password.Normalize(typed))).Json();
        var renewed = await organization.Query<string>("SELECT password_hash FROM users WHERE id = $1", organization.OwnerId);
        Assert.NotEqual(old, renewed);
        await (await TestOrganization.Login(app.Anonymous, organization.OwnerEmail, password.Normalize(NormalizationForm.FormC))).Json();
        Assert.Equal(renewed, await organization.Query<string>("SELECT password_hash FROM users WHERE id = $1", organization.OwnerId));
        await (await TestOrganization.Login(app.Anonymous, organization.OwnerEmail, "another one 12")).Problem(ProblemType.InvalidCredentials);
    }

    [Theory]
    [InlineData("jose\u0301@example.com", "José@Example.com")]
    [InlineData("li@xn--fiqs8s.example", "li@中国.example")]
    [InlineData("\u202abo@example.org\u202c", "BO@example.org")]
    public async Task An_address_has_one_account(string first, string second)
    {
        await (await SignUp(first, "seven blue elephants")).Json(HttpStatusCode.Created);
        await (await TestOrganization.Login(app.Anonymous, second, "seven blue elephants")).Json();
        await (await SignUp(second, "seven blue elephants")).Problem(ProblemType.Conflict);
    }

    [Fact]
    public void A_password_made_of_the_address_is_found_however_it_is_written() =>
        Assert.NotNull(PasswordRules.Complaint("Jose\u0301.Garci\u0301a1", "josé.garcía@example.com", new AccountOptions()));

    private Task<HttpResponseMessage> SignUp(string email, string password) =>
        app.Anonymous.PostAsJsonAsync("/v1/auth/sign-up", new { email, password, organizationName = "Tours" });
}
