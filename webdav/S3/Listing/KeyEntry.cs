using KeepFs.Engine.Manifests;
using KeepFs.WebDav.S3.Objects;

namespace KeepFs.WebDav.S3.Listing;

/// <summary>What a listing says of a key.</summary>
/// <param name="SizeBytes">0 for a folder.</param>
/// <param name="ModifiedAt">Of the collection or project it lies in.</param>
/// <param name="File">Null for a folder.</param>
internal readonly record struct KeyEntry(long SizeBytes, DateTimeOffset ModifiedAt, (ManifestIndex Index, int Number)? File)
{
    /// <summary>The object's tag, made only for keys that are shown; "" for a folder.</summary>
    public string Tag => File is { } file ? ObjectTag.Of(file.Index.SegmentsOf(file.Number)) : "";
}
