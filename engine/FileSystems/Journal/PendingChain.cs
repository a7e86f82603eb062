namespace KeepFs.Engine.FileSystems.Journal;

/// <summary>Unsaved changes to one collection that an earlier process left in its journal.</summary>
public sealed class PendingChain
{
    internal PendingChain(string folder)
    {
        Folder = folder;
        Bytes = Directory.EnumerateFiles(folder).Sum(path => new FileInfo(path).Length);
        LeftAt = Directory.GetLastWriteTimeUtc(folder);
    }

    /// <summary>Where they are.</summary>
    public string Folder { get; }

    /// <summary>The collection; the name of the folder begins with it.</summary>
    public string Uuid => Path.GetFileName(Folder).Split('.')[0];

    /// <summary>Bytes of journal.</summary>
    public long Bytes { get; }

    /// <summary>About when they were made.</summary>
    public DateTimeOffset LeftAt { get; }

    /// <summary>Why they are not saved yet; null before the first try.</summary>
    public string? LastError { get; internal set; }
}
