using System.Collections.Immutable;
using AgentPlatform.Api.Automation;
using AgentPlatform.Api.Problems;
using AgentPlatform.Api.Resources;
using AgentPlatform.Api.Shapes;
using static AgentPlatform.Api.Shapes.Fields;

namespace AgentPlatform.Api.Agents;

/// <summary>The groups of an agent's settings. What isn't given has the default that its description names.</summary>
internal static class AgentSettings
{
    private static readonly ChoiceType Readable = new(KnownFields.Readable);

    private static readonly ObjectType FunnelStage = DocumentType(
        Reference("stageId", "crm_pipeline_stages").Required(),
        Flag("isActive").WithDefault(true).About("Off: the agent is silent while a deal stands here."),
        Text("instructions", 10_000).About("What the agent is to reach in this stage."));

    private static readonly ObjectType Funnel = DocumentType(
        Reference("pipelineId", "crm_pipelines").Required(),
        Flag("isActive").WithDefault(true).About("Off: the agent is silent for deals of this pipeline."),
        Text("instructions", 10_000),
        List("stages", FunnelStage, 100).About("Stages that differ from the rest of the pipeline."));

    private static readonly ObjectType DataInput = DocumentType(
        Choice("field", KnownFields.Writable).Required(),
        Text("instructions", 2000).About("How the agent is to find the value out."),
        Flag("isRequired").WithDefault(false).About("The agent asks for it."),
        Flag("overwrites").WithDefault(false).About("Off: a value that is there stays."));

    private static readonly Field Hours = Document(
        "quietHours",
        TimeOfDay("from").Required(),
        TimeOfDay("to").Required()).Nullable().About("When the agent does not write of its own accord, in the organization's time zone. Null for never.");

    public static Field Field() => Document(
        "settings",
        Flag("checkBeforeSending").WithDefault(false).About("A second look at each answer before it goes out."),
        List("funnelConfigs", Funnel, 50).About("What the agent does in which pipeline and stage."),
        Document(
            "channelConfigs",
            Flag("allChannels").WithDefault(true).About("Off: only in the channels that are named."),
            ReferenceList("channelIds", "channels", 200),
            List("platforms", new ChoiceType("whatsapp", "facebook", "instagram", "telegram", "sms", "email", "web", "phone"), 8)),
        Document(
            "knowledgeBaseConfig",
            Flag("isEnabled").WithDefault(true),
            Flag("allCategories").WithDefault(true).About("Off: only the categories and sources that are named."),
            ReferenceList("categoryIds", "knowledge_categories", 500),
            ReferenceList("sourceIds", "knowledge_sources", 500),
            Flag("answersFromKnowledgeOnly").WithDefault(false).About("What is not in the knowledge base is not answered."),
            Text("notFoundMessage", 2000),
            Flag("createsTaskWhenNotFound").WithDefault(false),
            Integer("maxPassages", 1, 20).WithDefault(5),
            Number("minSimilarity", 0, 1, 2)),
        Document(
            "dataAccessConfig",
            Flag("allFields").WithDefault(true).About("Off: the agent sees the fields that are named."),
            List("fields", Readable, 200)),
        Document(
            "dataInputConfig",
            Flag("isEnabled").WithDefault(false).About("The agent fills in fields from what the customer says."),
            List("fields", DataInput, 100)),
        Document(
            "advancedSettings",
            Integer("historyMessages", 0, 200).About("How many messages the model is given."),
            Integer("maxRepliesPerConversation", 1, 10_000),
            Language("replyLanguage").About("Always answers in this language; the customer's unless given."),
            Integer("resumeAfterMinutes", 1, 43_200).About("When the agent takes a conversation back after a person has answered."),
            Flag("splitsReplies").WithDefault(false).About("Long answers go out in several messages."),
            Number("topP", 0, 1, 2),
            Number("presencePenalty", -2, 2, 2),
            Number("frequencyPenalty", -2, 2, 2),
            Hours)).About("In a change, groups that aren't named stay; a group that is named is replaced.");

    /// <summary>A stage that a funnel names is one of its pipeline.</summary>
    public static async Task<Problem?> Check(ResourceChange change)
    {
        var funnels = change.Values.Object("settings")?.Get<ImmutableArray<object>>("funnelConfigs") ?? [];
        foreach (var (funnel, index) in (funnels.IsDefault ? [] : funnels).Cast<ShapeValues>().Select((funnel, index) => (funnel, index)))
        {
            var stages = funnel.Get<ImmutableArray<object>>("stages") is { IsDefault: false } given ? given.Cast<ShapeValues>().Select(stage => stage.Id("stageId")!.Value).ToArray() : [];
            var others = stages.Length == 0 ? null : await change.Session.ScalarAsync<Guid[]>(
                "SELECT array_agg(id) FROM crm_pipeline_stages WHERE id = ANY ($1) AND pipeline_id <> $2", change.Request.Cancelled, stages, funnel.Id("pipelineId")!.Value);
            if (others is not null)
            {
                var place = $"/settings/funnelConfigs/{index}/stages/{Array.IndexOf(stages, others[0])}/stageId";
                return Problem.Invalid(place, $"{place} names a stage of another pipeline.");
            }
        }
        return null;
    }

    private static Field TimeOfDay(string name) => Matching(name, "^([01][0-9]|2[0-3]):[0-5][0-9]$", "a time of day, such as 09:30", "09:30", 5);
}
