namespace KeepFs.Engine.FileSystems;

/// <summary>A collection with changes that the catalogue does not have yet.</summary>
/// <param name="Uuid">Which.</param>
/// <param name="Files">Its unsaved files, oldest first; empty when only names changed. At most <see cref="MaxFiles"/>.</param>
/// <param name="FileCount">All of them.</param>
/// <param name="Bytes">Bytes that are only in memory and in the journal.</param>
/// <param name="Age">Since the oldest change to a file.</param>
/// <param name="LastError">Why the last save failed; null if it did not.</param>
public sealed record UnsavedCollection(string Uuid, IReadOnlyList<UnsavedFile> Files, int FileCount, long Bytes, TimeSpan Age, string? LastError)
{
    /// <summary>Files that are told by name; a status is for people.</summary>
    public const int MaxFiles = 100;
}

/// <summary>A file with unsaved changes.</summary>
/// <param name="Path">In its collection.</param>
/// <param name="Bytes">Bytes that are only in memory and in the journal; the others are on keepstores and only have to be named in the catalogue.</param>
/// <param name="Age">Since the oldest unsaved change.</param>
/// <param name="IsOpen">Some program still has it open for writing.</param>
public sealed record UnsavedFile(string Path, long Bytes, TimeSpan Age, bool IsOpen);
