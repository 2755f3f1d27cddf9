using System.Collections.Immutable;

namespace AgentPlatform.Api.Resources;

/// <summary>All declared resources: one line each.</summary>
public static class ResourceCatalog
{
    public static readonly ImmutableArray<Resource> All =
    [
        Organizations.OrganizationResource.Organization,
        Organizations.MemberResource.Members,
        Channels.ChannelResource.Channels,
        Channels.KeywordActionResource.KeywordActions,
        Channels.ContentCollectionResource.ContentCollections,
        Channels.WebWidgetResource.WebWidgets,
        Agents.AgentResource.Agents,
        Agents.PersonaResource.Personas,
        Agents.PromptVariantResource.PromptVariants,
        Llm.LlmModelResource.LlmModels,
        Llm.LlmCredentialResource.LlmCredentials,
        Knowledge.CategoryResource.Categories,
        Knowledge.ArticleResource.Articles,
        Contacts.ContactResource.Contacts,
        Conversations.ConversationResource.Conversations,
        Conversations.MessageResource.Messages,
        Turns.TurnResource.Turns,
        Crm.ClientResource.Clients,
        Crm.PartnerResource.Partners,
        Crm.ProductResource.Products,
        Crm.TourResource.Tours,
        ActivityLogs.ActivityLogResource.ActivityLogs,
    ];
}
