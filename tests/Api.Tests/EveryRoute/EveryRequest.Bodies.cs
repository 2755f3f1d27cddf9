using System.Text.Json.Nodes;
using AgentPlatform.Api.Tests.TestApp;

namespace AgentPlatform.Api.Tests.EveryRoute;

internal sealed partial class EveryRequest
{
    private const string NewPassword = "seven blue elephants";

    /// <summary>What an example in the documentation can't know: which values are taken, which members exclude each other. Null takes a member out.</summary>
    private IEnumerable<(string Name, JsonNode? Value)> Fitting(ApiOperation operation) => operation.Id switch
    {
        // The example switches on what is on.
        "switchConversationAi" => [("enabled", false)],
        "changePassword" => [("currentPassword", TestOrganization.Password), ("newPassword", TestOrganization.Password)],
        "login" => [("email", _populated.Organization.OwnerEmail), ("password", TestOrganization.Password)],
        "signUp" => [("email", NewEmail())],
        "createInvitation" => [("email", NewEmail())],
        "forgotPassword" => [("email", _populated.Organization.OwnerEmail)],
        "resetPassword" => [("password", NewPassword)],
        "switchOrganization" => [("organizationId", _populated.Organization.Id)],
        "updateApiKey" => [("scopes", new JsonArray("clients:read")), ("expiresAt", "2099-05-20T09:30:00Z")],
        // These are a WhatsApp channel's.
        "updateChannel" => [("credentials", null), ("settings", null), ("platformChannelId", null)],
        "createChannel" => [("platformChannelId", Digits())],
        "createKeywordAction" => [("keyword", Word())],
        "updateKeywordAction" => [("collectionId", null)],
        // Each platform has its own way to call people: this is WhatsApp's.
        "createContact" => [("channelId", _populated.Line.ChannelId), ("platformUserId", Digits())],
        "createContentCollection" => [("collectionId", Word())],
        "updateWhatsappSession" => [("errorMessage", null)],
        "updateAgent" => [("settings", null), ("key", Word())],
        "createAgent" => [("key", Word())],
        "createAgentMemory" => [("key", Word())],
        "createLlmCredential" => [("provider", "anthropic")],
        "updateAutomationRule" => [("schedule", null)],
        "updateWorkflow" => [("schedule", null), ("graph", null)],
        "createEmailTemplate" or "updateEmailTemplate" => [("name", Word())],
        "updateSequenceStep" => [("recipient", null), ("webhookUrl", null), ("aiPrompt", null), ("taskTitle", null), ("taskDescription", null)],
        "createClient" or "updateClient" => [("phone", $"+1555{Digits()[..7]}"), ("ecommerceCustomerId", Word())],
        "createProduct" or "updateProduct" => [("ecommerceProductId", Word())],
        "createDeal" or "updateDeal" => [("externalId", Word()), ("wonReason", null), ("lostReason", null), ("lostReasonDetails", null), ("actualCloseDate", null), ("competitor", null)],
        "createOrder" or "updateOrder" => [("orderNumber", Word())],
        "createTag" or "updateTag" => [("name", Word())],
        "createCrmConnection" => [("baseDomain", $"{Word()}.kommo.com")],
        "createCrmPipeline" or "createCrmPipelineStage" => [("externalId", Word())],
        // What is booked stays so.
        "updateClientTour" => [("status", null)],
        "createPricingPlan" => [("code", Word()), ("stripePriceId", Word())],
        "updatePricingPlan" => [("stripePriceId", Word())],
        "createSubscription" or "updateSubscription" => [("plan", "everything")],
        "createOrganizationSubscription" or "updateOrganizationSubscription" =>
            [("plan", "everything"), ("stripeSubscriptionId", Word()), ("status", "active"), ("currentPeriodEnd", "2099-01-01T00:00:00Z"), ("graceEndsAt", null)],
        "createVisitor" => [("token", null)],
        "sendVisitorMessage" => [("id", Guid.NewGuid()), ("choiceId", null), ("replyTo", null)],
        "importResource" => [("resource", "clients"), ("mode", "upsert"), ("key", "email"), ("mapping", null)],
        { } id when id.StartsWith("bulk", StringComparison.Ordinal) => Bulk(operation),
        _ => [],
    };

    /// <summary>Many at once: here one, of which something changes that fits any of them.</summary>
    private IEnumerable<(string Name, JsonNode? Value)> Bulk(ApiOperation operation)
    {
        var resource = operation.Path.Split('/')[2];
        yield return ("ids", new JsonArray(_populated.Ids[resource]));
        if (operation.Path.EndsWith("/bulk-tag", StringComparison.Ordinal))
        {
            yield return ("add", new JsonArray(Word()));
            yield break;
        }
        yield return ("change", new JsonObject
        {
            [resource switch
            {
                "contacts" or "partners" => "name",
                "clients" => "source",
                "products" => "category",
                "tours" => "notes",
                "deals" or "activities" => "description",
                "orders" => "trackingNumber",
                "notes" => "title",
                "knowledge-articles" => "summary",
                _ => throw new InvalidOperationException($"{operation} changes many {resource}: say here what of them can change."),
            }] = Word(),
        });
    }

    private static string NewEmail() => $"{Word()}@example.com";

    private static string Word() => $"w{Guid.NewGuid():N}";

    private static string Digits() => Random.Shared.NextInt64(100_000_000_000, 999_999_999_999).ToString(System.Globalization.CultureInfo.InvariantCulture);
}
