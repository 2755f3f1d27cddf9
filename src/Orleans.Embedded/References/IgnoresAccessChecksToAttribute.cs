namespace System.Runtime.CompilerServices;

/// <summary>The .NET runtime knows this attribute by its name: the assembly that carries it may use what isn't public in another.</summary>
[AttributeUsage(AttributeTargets.Assembly, AllowMultiple = true)]
internal sealed class IgnoresAccessChecksToAttribute(string assemblyName) : Attribute
{
    public string AssemblyName { get; } = assemblyName;
}
