using AgentPlatform.Data.Texts;

namespace AgentPlatform.Grains.Agents.Steps;

/// <summary>What is done when there is no answer.</summary>
/// <param name="Text">What to say.</param>
/// <param name="Outcome"><c>fallback</c> or <c>escalated</c>.</param>
/// <param name="Escalate">A person takes over.</param>
internal sealed record FallbackReply(string Text, string Outcome, bool Escalate);

/// <summary>The persona's escalation policy, in words and deeds.</summary>
internal static class Fallback
{
    /// <summary>Decides what to say and whether to hand over.</summary>
    /// <param name="persona">Its fall-back message comes before the built-in texts.</param>
    /// <param name="language">The customer's language.</param>
    /// <param name="previousOutcome">How the last turn ended: a second failure in a row ends the retries.</param>
    public static FallbackReply Decide(PersonaConfiguration persona, string language, string? previousOutcome)
    {
        var texts = StandardTexts.For(language);
        var message = ComparableText.IsBlank(persona.FallbackMessage) ? null : persona.FallbackMessage;
        return persona.EscalationPolicy switch
        {
            EscalationPolicy.Apologize => new FallbackReply(message ?? texts.Apology, "fallback", false),
            EscalationPolicy.Transfer => new FallbackReply(message ?? texts.Transferred, "escalated", true),
            EscalationPolicy.Retry when previousOutcome != "fallback" => new FallbackReply(message ?? texts.Rephrase, "fallback", false),
            _ => new FallbackReply(message ?? texts.Escalated, "escalated", true),
        };
    }
}
