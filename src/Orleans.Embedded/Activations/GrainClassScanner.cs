using System.Collections.Concurrent;
using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace Orleans.Runtime;

/// <summary>Finds grain classes: in every loaded assembly that uses this runtime, and in those beside the program that do.</summary>
internal static class GrainClassScanner
{
    private static readonly Assembly Self = typeof(GrainClassScanner).Assembly;
    private static readonly string SelfName = Self.GetName().Name!;

    // A test process starts many silos beside the same files.
    private static readonly ConcurrentDictionary<string, bool> Known = new();

    public static (List<Type> Classes, List<string> Assemblies) Scan()
    {
        LoadNeighbours();
        var assemblies = AppDomain.CurrentDomain.GetAssemblies()
            .Where(assembly => !assembly.IsDynamic && (assembly == Self || Array.Exists(assembly.GetReferencedAssemblies(), reference => reference.Name == SelfName)))
            .ToList();
        var classes = assemblies.SelectMany(assembly => assembly.GetTypes()).Where(IsGrainClass).ToList();
        return (classes, [.. assemblies.Select(assembly => assembly.GetName().Name!)]);
    }

    private static bool IsGrainClass(Type type) =>
        type is { IsClass: true, IsAbstract: false, ContainsGenericParameters: false }
        && typeof(IGrainBase).IsAssignableFrom(type)
        && typeof(IAddressable).IsAssignableFrom(type)
        && !typeof(GrainReference).IsAssignableFrom(type);

    /// <summary>A project may refer to another only for its grains, which the compiler doesn't record as a reference.</summary>
    private static void LoadNeighbours()
    {
        var loaded = AppDomain.CurrentDomain.GetAssemblies().Select(assembly => assembly.GetName().Name).ToHashSet(StringComparer.OrdinalIgnoreCase);
        foreach (var path in Directory.EnumerateFiles(AppContext.BaseDirectory, "*.dll"))
        {
            var name = Path.GetFileNameWithoutExtension(path);
            if (!loaded.Contains(name) && Known.GetOrAdd(path, UsesThisRuntime))
            {
                Assembly.Load(new AssemblyName(name));
            }
        }
    }

    private static bool UsesThisRuntime(string path)
    {
        using var stream = File.OpenRead(path);
        using var image = new PEReader(stream);
        if (!image.HasMetadata)
        {
            return false;
        }

        var metadata = image.GetMetadataReader();
        return metadata.IsAssembly && metadata.AssemblyReferences.Any(handle =>
            metadata.StringComparer.Equals(metadata.GetAssemblyReference(handle).Name, SelfName));
    }
}
