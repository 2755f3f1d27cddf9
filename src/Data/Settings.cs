using System.ComponentModel;
using Microsoft.Extensions.Configuration;

namespace AgentPlatform.Data;

/// <summary>A setting is missing or says what it can't. The message names it, tells no secret, and is all that an operator needs: the process ends with it.</summary>
public sealed class SettingException(string message, Exception? inner = null) : InvalidOperationException(message, inner);

/// <summary>Reads settings.</summary>
public static class Settings
{
    /// <summary>A setting's value, or another one where it isn't set.</summary>
    /// <exception cref="SettingException">It is none of that type.</exception>
    public static T Setting<T>(this IConfiguration configuration, string name, T otherwise)
        where T : struct
    {
        if (configuration[name] is not { Length: > 0 } text)
        {
            return otherwise;
        }
        try
        {
            return (T)TypeDescriptor.GetConverter(typeof(T)).ConvertFromInvariantString(text)!;
        }
        catch (Exception failure) when (failure is ArgumentException or FormatException or NotSupportedException)
        {
            throw new SettingException($"{name} is {(text.Length > 40 ? text[..40] + "…" : text)}; it must be {Expected(typeof(T))}.", failure);
        }
    }

    private static string Expected(Type type) => type == typeof(bool) ? "true or false" : type == typeof(TimeSpan) ? "a time, such as 00:01:00" : type == typeof(decimal) || type == typeof(double) ? "a number" : "a whole number";
}
