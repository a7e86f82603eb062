using KeepFs.Engine.Manifests;

namespace KeepFs.Engine.FileSystems.Journal;

/// <summary>Lists of stored ranges.</summary>
internal static class StoredRanges
{
    /// <summary>Joins neighbours that follow each other in the same block, as a manifest writes them.</summary>
    public static List<ManifestSegment> Merge(ReadOnlySpan<ManifestSegment> segments)
    {
        var merged = new List<ManifestSegment>(segments.Length);
        foreach (var segment in segments)
        {
            if (merged.Count > 0 && merged[^1] is var last && last.Locator.Hash == segment.Locator.Hash && last.Offset + last.Length == segment.Offset)
            {
                merged[^1] = last with { Length = last.Length + segment.Length };
            }
            else
            {
                merged.Add(segment);
            }
        }

        return merged;
    }
}
