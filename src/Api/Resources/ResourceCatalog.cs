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
        Channels.WhatsAppSessionResource.WhatsAppSessions,
        Agents.AgentResource.Agents,
        Agents.PersonaResource.Personas,
        Agents.PromptVariantResource.PromptVariants,
        Agents.AgentMemoryResource.AgentMemories,
        Experiments.ExperimentResource.Experiments,
        Experiments.ExperimentVariantResource.ExperimentVariants,
        Experiments.DialogueAnalysisResource.DialogueAnalyses,
        Llm.LlmModelResource.LlmModels,
        Llm.LlmCredentialResource.LlmCredentials,
        Knowledge.CategoryResource.Categories,
        Knowledge.ArticleResource.Articles,
        Knowledge.SourceResource.Sources,
        Automation.AutomationRuleResource.AutomationRules,
        Automation.EmailTemplateResource.EmailTemplates,
        Sequences.SequenceResource.Sequences,
        Sequences.SequenceStepResource.SequenceSteps,
        Workflows.WorkflowResource.Workflows,
        Workflows.WorkflowExecutionResource.WorkflowExecutions,
        Contacts.ContactResource.Contacts,
        Conversations.ConversationResource.Conversations,
        Conversations.MessageResource.Messages,
        Turns.TurnResource.Turns,
        Crm.ClientResource.Clients,
        Crm.PartnerResource.Partners,
        Crm.ProductResource.Products,
        Crm.TourResource.Tours,
        ActivityLogs.ActivityLogResource.ActivityLogs,
        Jobs.JobResource.Jobs,
        Jobs.JobErrorResource.JobErrors,
        Files.FileResource.Files,
    ];
}
