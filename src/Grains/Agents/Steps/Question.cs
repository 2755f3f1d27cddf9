using AgentPlatform.Conversations;
using AgentPlatform.Data.Texts;
using AgentPlatform.Grains.Knowledge.Text;

namespace AgentPlatform.Grains.Agents.Steps;

/// <summary>What the customer wants to know, read from the messages to answer.</summary>
/// <param name="Text">Their texts, one on each line; empty when there is none.</param>
/// <param name="Context">What the customer said before, when the text alone is too short to be understood; else null.</param>
/// <param name="Language">ISO 639-1: what the answer is written in.</param>
/// <param name="Kind">What it is when it isn't a question.</param>
/// <param name="IsFirst">Nobody of ours has written in this conversation yet.</param>
/// <param name="ExpectsAnswer">False for a reaction, a sticker and other things that nobody answers.</param>
internal sealed record Question(string Text, string? Context, string Language, SmallTalkKind Kind, bool IsFirst, bool ExpectsAnswer)
{
    /// <summary>Nobody expects an answer to a sticker, nor to what nobody said.</summary>
    private static bool IsUnanswered(ContextMessage message) => message.ContentType == ContentTypes.Sticker || !ContentTypes.IsSaid(message.ContentType);

    /// <summary>A question with fewer terms than this leans on the message before it.</summary>
    private const int FewestTerms = 3;

    /// <summary>Reads the question.</summary>
    public static Question Read(ConversationContext context)
    {
        var asked = context.Asked.Where(message => !IsUnanswered(message)).ToList();
        var text = string.Join('\n', asked.Select(message => message.Text).Where(text => !ComparableText.IsBlank(text)));
        var before = context.Before.Where(message => message.IsFromCustomer && !IsUnanswered(message) && !ComparableText.IsBlank(message.Text)).Select(message => message.Text!).ToList();
        var language = LanguageDetector.Detect(text)
            ?? before.AsEnumerable().Reverse().Select(LanguageDetector.Detect).FirstOrDefault(found => found is not null)
            ?? KnowledgeLanguage.Primary(context.CustomerLanguage)
            ?? KnowledgeLanguage.Default;
        var needsContext = text.Length > 0 && before.Count > 0 && TextWords.Terms(text, language).Count < FewestTerms;
        return new Question(
            text,
            needsContext ? before[^1] : null,
            language,
            SmallTalk.Recognize(text),
            context.Before.All(message => message.IsFromCustomer),
            asked.Count > 0);
    }
}
