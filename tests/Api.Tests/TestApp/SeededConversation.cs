namespace AgentPlatform.Api.Tests.TestApp;

/// <summary>A conversation put into the database as the engine would have left it.</summary>
public sealed record SeededConversation(Guid Id, Guid ContactId, Guid ChannelId)
{
    public static async Task<SeededConversation> Create(TestOrganization organization, string name, string phone, params string[] texts)
    {
        var seeded = new SeededConversation(Guid.CreateVersion7(), Guid.CreateVersion7(), Guid.CreateVersion7());
        await organization.Execute(
            "INSERT INTO channels (id, organization_id, name, platform) VALUES ($1, $2, 'Web', 'web')", seeded.ChannelId, organization.Id);
        await organization.Execute(
            """
            INSERT INTO contacts (id, organization_id, channel_id, platform, platform_user_id, name, phone)
            VALUES ($1, $2, $3, 'web', $4, $5, $6)
            """,
            seeded.ContactId, organization.Id, seeded.ChannelId, $"visitor-{seeded.ContactId:N}", name, phone);
        await organization.Execute(
            """
            INSERT INTO conversations (id, organization_id, channel_id, contact_id, client_id, last_sequence, last_message_at)
            SELECT $1, $2, $3, k.id, k.client_id, $5, now() FROM contacts k WHERE k.id = $4
            """,
            seeded.Id, organization.Id, seeded.ChannelId, seeded.ContactId, (long)texts.Length);
        for (var index = 0; index < texts.Length; index++)
        {
            await seeded.Add(organization, index + 1, texts[index]);
        }
        return seeded;
    }

    /// <summary>One more message from the customer.</summary>
    public async Task<Guid> Add(TestOrganization organization, long sequence, string text)
    {
        var id = Guid.CreateVersion7();
        await organization.Execute(
            """
            INSERT INTO messages (id, organization_id, conversation_id, channel_id, contact_id, sequence, direction, sender_type, status, text_content, platform_message_id)
            VALUES ($1, $2, $3, $4, $5, $6, 'inbound', 'user', 'received', $7, $8)
            """,
            id, organization.Id, Id, ChannelId, ContactId, sequence, text, $"p-{id:N}");
        return id;
    }
}
