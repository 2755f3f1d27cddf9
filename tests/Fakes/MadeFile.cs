namespace AgentPlatform.Fakes;

/// <summary>A file of the repository that is made from the code, and kept in it so that a change of it is seen.</summary>
public static class MadeFile
{
    private static readonly bool Writes = Environment.GetEnvironmentVariable("UPDATE_DOCS") == "1";

    /// <summary>Null where the file holds what the code says; otherwise what to do about it. With <c>UPDATE_DOCS=1</c> it is written first.</summary>
    /// <param name="path">Below the repository's root, with slashes.</param>
    public static async Task<string?> Difference(string path, string expected)
    {
        var file = Path.Combine(RepositoryRoot.Path, path);
        if (Writes)
        {
            await File.WriteAllTextAsync(file, expected);
        }
        return await File.ReadAllTextAsync(file) == expected ? null : $"{path} is not what the code says. Run the test once with UPDATE_DOCS=1 and look at the difference.";
    }
}
