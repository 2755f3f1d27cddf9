using System.Text;

namespace AgentPlatform.Api.Webhooks.WhatsApp;

/// <summary>
/// Finds the phone numbers that a body speaks of before it is known to be authentic, without parsing it: they only say whose secret to try.
/// </summary>
internal static class WhatsAppNumbers
{
    /// <summary>Longest <c>phone_number_id</c> accepted, in bytes.</summary>
    public const int MaxLength = 64;

    /// <summary>
    /// The next value of a member <c>phone_number_id</c> at or after <paramref name="position"/>, which moves behind it; null when there is none.
    /// Can't be fooled by a text that quotes such a member: there its quotation marks would be escaped.
    /// </summary>
    public static string? Next(ReadOnlySpan<byte> body, ref int position)
    {
        while (position < body.Length)
        {
            var found = body[position..].IndexOf("\"phone_number_id\""u8);
            if (found < 0)
            {
                break;
            }

            position += found + "\"phone_number_id\"".Length;
            var rest = body[position..].TrimStart(" \t\r\n"u8);
            if (rest.IsEmpty || rest[0] != (byte)':')
            {
                continue;
            }

            rest = rest[1..].TrimStart(" \t\r\n"u8);
            if (rest.IsEmpty || rest[0] != (byte)'"')
            {
                continue;
            }

            var value = rest[1..Math.Min(rest.Length, MaxLength + 2)];
            var end = value.IndexOfAny((byte)'"', (byte)'\\');
            if (end > 0 && value[end] == (byte)'"')
            {
                return Encoding.UTF8.GetString(value[..end]);
            }
        }

        position = body.Length;
        return null;
    }
}
