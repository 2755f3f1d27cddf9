using System.Globalization;

namespace AgentPlatform.Bench.Data;

/// <summary>The names by which the bench's people and numbers go, the same in SQL and in webhooks.</summary>
public static class Identities
{
    /// <summary>The channel's id at WhatsApp.</summary>
    public const string PhoneNumberId = "106540352242922";

    /// <summary>The platform's name for a contact: a phone number without its plus sign.</summary>
    public static string Contact(int index) => string.Create(CultureInfo.InvariantCulture, $"49151{index:D8}");

    /// <summary>The same as an SQL expression.</summary>
    public static string SqlContact(string index) => $"('49151' || lpad({index}::text, 8, '0'))";
}
