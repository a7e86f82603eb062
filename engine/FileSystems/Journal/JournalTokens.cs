namespace KeepFs.Engine.FileSystems.Journal;

/// <summary>
/// The tokens under which the blocks that a journal refers to were stored: <c>N/tokens</c>, one a line, for the owner only. Signatures are good for the token they
/// were made for and no other, so without it, blocks that a dead process stored and did not save would be lost when the user comes back with a new token.
/// </summary>
internal static class JournalTokens
{
    public static IReadOnlyList<string> Read(string folder)
    {
        var path = PathIn(folder);
        return File.Exists(path) ? [.. File.ReadLines(path).Where(line => line.Length > 0)] : [];
    }

    /// <summary>Replaces the list, durably; an empty one removes the file.</summary>
    /// <exception cref="IOException">The disk did not take it.</exception>
    public static void Write(string folder, IReadOnlyList<string> tokens)
    {
        if (tokens.SequenceEqual(Read(folder), StringComparer.Ordinal))
        {
            return;
        }

        if (tokens.Count == 0)
        {
            File.Delete(PathIn(folder));
            return;
        }

        var unfinished = PathIn(folder) + ".new";
        File.Delete(unfinished);
        using (var file = ChainFiles.CreateFile(unfinished))
        {
            RandomAccess.Write(file, System.Text.Encoding.UTF8.GetBytes(string.Join('\n', tokens) + "\n"), 0);
            RandomAccess.FlushToDisk(file);
        }

        File.Move(unfinished, PathIn(folder), overwrite: true);
        ChainFiles.SyncFolder(folder);
    }

    private static string PathIn(string folder) => Path.Combine(folder, "tokens");
}
