namespace Orleans.Runtime;

/// <summary>What takes part in the activation and deactivation of one grain.</summary>
internal sealed class GrainLifecycle : LifecycleSubject, IGrainLifecycle;
