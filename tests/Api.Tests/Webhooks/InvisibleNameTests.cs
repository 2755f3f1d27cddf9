using System.Text.Json;
using AgentPlatform.Api.Webhooks.Telegram;
using AgentPlatform.Api.Webhooks.WhatsApp;
using AgentPlatform.Fakes.WhatsApp;

namespace AgentPlatform.Api.Tests.Webhooks;

/// <summary>People hide their names behind characters that nobody sees: they have none, and are known by their number.</summary>
public sealed class InvisibleNameTests
{
    [Theory]
    [InlineData("\u200f\u2063", null)]
    [InlineData("\u3164", null)]
    [InlineData("\u2800 \u00a0", null)]
    [InlineData("\u202aAnna\u202c", "Anna")]
    [InlineData(" Jose\u0301\u200b ", "José")]
    public void Of_WhatsApp(string told, string? name) =>
        Assert.Equal(name, WhatsAppParser.Parse(WhatsAppBodies.Text("106540352242922", "15551234567", "wamid.1", "Hello", told))[0].Contact.Name);

    [Theory]
    [InlineData("\u200f", "\u2063", null)]
    [InlineData("\u115f", "Lee", "Lee")]
    [InlineData("Anna\u200e", "\ufeff", "Anna")]
    public void Of_Telegram(string first, string last, string? name)
    {
        using var update = JsonDocument.Parse(JsonSerializer.Serialize(new
        {
            update_id = 1,
            message = new { message_id = 1, date = 1700000000, text = "Hello", chat = new { id = 7, type = "private", first_name = first, last_name = last }, from = new { id = 7, is_bot = false, first_name = first, last_name = last } },
        }));
        Assert.Equal(name, TelegramUpdate.Read(update.RootElement).Contact.Name);
    }
}
