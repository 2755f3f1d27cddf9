namespace Orleans.Providers;

/// <summary>The storage of the state of a <see cref="Grain{TGrainState}"/>.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class StorageProviderAttribute : Attribute
{
    /// <summary>The name of the storage.</summary>
    public string ProviderName { get; set; } = ProviderConstants.DEFAULT_STORAGE_PROVIDER_NAME;
}

/// <summary>Names of providers.</summary>
public static class ProviderConstants
{
    /// <summary>The storage that is used where none is named.</summary>
    public const string DEFAULT_STORAGE_PROVIDER_NAME = "Default";
}
