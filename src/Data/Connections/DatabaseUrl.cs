using System.Globalization;
using Npgsql;

namespace AgentPlatform.Data.Connections;

/// <summary>Reads a database address as a URL (<c>postgres://user:password@host:port/database?option=value</c>) or as an Npgsql connection string.</summary>
public static class DatabaseUrl
{
    /// <summary>Parses either form. In the URL form <c>?host=/folder</c> names a Unix socket's folder and wins over the URL's host.</summary>
    /// <exception cref="SettingException">The text is neither form, or names an option that is not known. The text itself, which may hold a password, is not repeated.</exception>
    public static NpgsqlConnectionStringBuilder Parse(string text)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(text);
        var isUrl = text.StartsWith("postgres://", StringComparison.OrdinalIgnoreCase)
            || text.StartsWith("postgresql://", StringComparison.OrdinalIgnoreCase);
        return isUrl ? ParseUrl(text) : ParseConnectionString(text);
    }

    private static NpgsqlConnectionStringBuilder ParseConnectionString(string text)
    {
        try
        {
            return new NpgsqlConnectionStringBuilder(text);
        }
        catch (ArgumentException)
        {
            throw new SettingException("DATABASE_URL is neither a postgres:// URL nor a connection string such as Host=…;Username=…;Password=…;Database=….");
        }
    }

    private static NpgsqlConnectionStringBuilder ParseUrl(string text)
    {
        if (!Uri.TryCreate(text, UriKind.Absolute, out var url))
        {
            throw new SettingException("DATABASE_URL is not a valid URL. Characters such as @ : / # % in a password must be percent-encoded.");
        }

        // What was meant for the password's rest is a port, a path or an option then, and would be told.
        if (url.UserInfo.Length == 0 && text.Contains('@', StringComparison.Ordinal))
        {
            throw new SettingException("DATABASE_URL is not a valid URL. Characters such as @ : / # ? % in a password must be percent-encoded.");
        }

        var user = url.UserInfo.Split(':', 2);
        var builder = new NpgsqlConnectionStringBuilder
        {
            Host = url.Host.Length == 0 ? "localhost" : url.Host.Trim('[', ']'),
            Port = url.Port > 0 ? url.Port : NpgsqlConnection.DefaultPort,
        };
        if (user[0].Length > 0)
        {
            builder.Username = Uri.UnescapeDataString(user[0]);
        }

        if (user.Length == 2)
        {
            builder.Password = Uri.UnescapeDataString(user[1]);
        }

        var database = Uri.UnescapeDataString(url.AbsolutePath.TrimStart('/'));
        builder.Database = database.Length > 0 ? database : builder.Username;
        foreach (var pair in url.Query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var parts = pair.Split('=', 2);
            Apply(builder, Uri.UnescapeDataString(parts[0]), parts.Length == 2 ? Uri.UnescapeDataString(parts[1]) : "");
        }

        return builder;
    }

    private static void Apply(NpgsqlConnectionStringBuilder builder, string option, string value)
    {
        try
        {
            switch (option)
            {
                case "connect_timeout":
                    builder.Timeout = int.Parse(value, CultureInfo.InvariantCulture);
                    break;
                case "application_name":
                    builder.ApplicationName = value;
                    break;
                case "sslmode":
                    builder["SSL Mode"] = value.Replace("-", "", StringComparison.Ordinal);
                    break;
                case "sslrootcert":
                    builder.RootCertificate = value;
                    break;
                case "target_session_attrs":
                    builder["Target Session Attributes"] = value;
                    break;
                default:
                    builder[option] = value;
                    break;
            }
        }
        catch (Exception failure) when (failure is ArgumentException or FormatException or OverflowException)
        {
            throw new SettingException($"DATABASE_URL has an option that is not known or has no valid value{(option.All(static character => char.IsAsciiLetter(character) || character is '_' or ' ') ? $": {option}" : "")}.");
        }
    }
}
