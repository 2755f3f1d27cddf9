using AgentPlatform.Data.Connections;
using Npgsql;

namespace AgentPlatform.Data.Tests.Connections;

public sealed class DatabaseUrlTests
{
    [Fact]
    public void A_url_names_everything()
    {
        var parsed = DatabaseUrl.Parse("postgres://anna:p%40ss%2Fword@db.example:6543/shop?sslmode=verify-full&application_name=desk&connect_timeout=7");

        Assert.Equal(("db.example", 6543, "anna", "p@ss/word", "shop"), (parsed.Host, parsed.Port, parsed.Username, parsed.Password, parsed.Database));
        Assert.Equal((SslMode.VerifyFull, "desk", 7), (parsed.SslMode, parsed.ApplicationName, parsed.Timeout));
    }

    [Fact]
    public void A_socket_folder_wins_over_the_host() =>
        Assert.Equal("/run/pg", DatabaseUrl.Parse("postgresql://anna:x@127.0.0.1:5433/shop?host=/run/pg").Host);

    [Fact]
    public void Port_and_database_have_the_usual_defaults()
    {
        var parsed = DatabaseUrl.Parse("postgres://anna@localhost");

        Assert.Equal((5432, "anna"), (parsed.Port, parsed.Database));
    }

    [Fact]
    public void A_connection_string_is_accepted_too() => Assert.Equal("shop", DatabaseUrl.Parse("Host=localhost;Database=shop").Database);

    [Theory]
    [InlineData("postgres://anna:secret@localhost/shop?colour=red")]
    [InlineData("postgres://anna:5?secret@localhost/shop")]
    [InlineData("postgres://anna:5/secret@localhost/shop")]
    [InlineData("postgres://anna:5#secret@localhost/shop")]
    [InlineData("postgres://anna:5@secret:x@localhost/shop")]
    [InlineData("postgres://anna:password@localhost/shop?secret%401=5")]
    [InlineData("jdbc:postgresql://anna:secret@localhost/shop")]
    [InlineData("Host=localhost;Port=many;Password=secret")]
    [InlineData("Host=localhost;Password=secret;Nonsense")]
    [InlineData("Nonsense=secret")]
    public void What_is_not_understood_is_refused_without_repeating_the_password(string text) =>
        Assert.DoesNotContain("secret", Assert.Throws<SettingException>(() => DatabaseUrl.Parse(text)).Message, StringComparison.Ordinal);

    [Fact]
    public void Logins_are_derived_from_the_administrators_password_and_differ()
    {
        var options = DataOptions.From("postgres://owner:secret@localhost/shop");
        var engine = new NpgsqlConnectionStringBuilder(options.EngineConnectionString);
        var api = new NpgsqlConnectionStringBuilder(options.ApiConnectionString);

        Assert.Equal(("agentplatform_engine", "agentplatform_api"), (engine.Username, api.Username));
        Assert.NotEqual(engine.Password, api.Password);
        Assert.DoesNotContain("secret", options.EngineConnectionString, StringComparison.Ordinal);
        Assert.Equal(options, DataOptions.From("postgres://owner:secret@localhost/shop"));
    }

    [Fact]
    public void Without_a_password_to_derive_from_the_message_names_the_settings() =>
        Assert.Contains("DATABASE_ROLE_SECRET", Assert.Throws<SettingException>(() => DataOptions.From("postgres://owner@localhost/shop")).Message, StringComparison.Ordinal);

    [Fact]
    public void An_explicit_login_wins()
    {
        var options = DataOptions.From("postgres://owner:secret@localhost/shop", engineUrl: "postgres://silo:own@other/shop");

        Assert.Equal("silo", new NpgsqlConnectionStringBuilder(options.EngineConnectionString).Username);
    }
}
