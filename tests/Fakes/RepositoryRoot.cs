namespace AgentPlatform.Fakes;

/// <summary>Finds the checkout that this test was built from.</summary>
public static class RepositoryRoot
{
    /// <summary>The folder that holds AgentPlatform.sln.</summary>
    public static string Path { get; } = Find();

    private static string Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(System.IO.Path.Combine(folder.FullName, "AgentPlatform.sln")))
            {
                return folder.FullName;
            }
        }

        throw new InvalidOperationException($"No folder above {AppContext.BaseDirectory} holds AgentPlatform.sln: tests run from a build inside the checkout.");
    }
}
