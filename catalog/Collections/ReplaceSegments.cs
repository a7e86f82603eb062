using System.Globalization;
using System.Text;
using System.Text.Json;
using KeepFs.Engine.Blocks;
using KeepFs.Engine.Manifests;

namespace KeepFs.Catalog.Collections;

/// <summary>
/// The option <c>replace_segments</c> (catalog-api.md 4.10): parts of blocks → the same bytes in other blocks, as clients do that pack small blocks
/// together. Checked when made; applied by a pure function. Faults are 400.
/// </summary>
internal sealed class ReplaceSegments
{
    private readonly List<(Part Old, ManifestSegment New, string NewLocator)> _entries = [];

    /// <param name="value">The option's value.</param>
    public ReplaceSegments(JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.Object)
        {
            throw ApiException.BadRequest("replace_segments: must be an object");
        }

        foreach (var property in value.EnumerateObject())
        {
            if (property.Value.ValueKind != JsonValueKind.String)
            {
                throw ApiException.BadRequest($"replace_segments: the replacement of '{property.Name}' must be a string");
            }

            var (old, oldBlock, _) = Parse(property.Name);
            var (part, block, locator) = Parse(property.Value.GetString()!);
            if (old.Length != part.Length)
            {
                throw ApiException.BadRequest($"replace_segments: '{Shown(oldBlock, old)}' and '{Shown(block, part)}' have different lengths");
            }

            if (part.Offset > block.SizeBytes - part.Length)
            {
                throw ApiException.BadRequest($"replace_segments: '{Shown(block, part)}' goes beyond its block");
            }

            _entries.Add((old, new ManifestSegment(block, part.Offset, part.Length), locator));
        }
    }

    /// <summary>The replacements' blocks, each as a file of a manifest, for the check of signatures.</summary>
    public byte[] Blocks()
    {
        var tree = new ManifestTree();
        foreach (var (index, block) in _entries.Select(entry => entry.New.Locator).Index())
        {
            tree.Put(index.ToString(CultureInfo.InvariantCulture), new ManifestFile([new ManifestSegment(block, 0, block.SizeBytes)]));
        }

        return tree.ToManifest();
    }

    /// <summary>The new manifest. All replacements by a block are left out when one of them finds nothing to replace: the content has changed since it was packed.</summary>
    public byte[] Apply(ReadOnlyMemory<byte> manifest)
    {
        var tree = ManifestTree.Load(manifest);
        var files = tree.Walk().Where(entry => entry.Node is ManifestFile).Select(entry => (entry.Path, File: (ManifestFile)entry.Node)).ToList();
        var present = files.SelectMany(entry => entry.File.Segments).Select(Part.Of).ToHashSet();
        var stale = _entries.Where(entry => !present.Contains(entry.Old)).Select(entry => entry.NewLocator).ToHashSet(StringComparer.Ordinal);
        var replacements = _entries.Where(entry => !stale.Contains(entry.NewLocator)).GroupBy(entry => entry.Old).ToDictionary(group => group.Key, group => group.Last().New);
        foreach (var (path, file) in files)
        {
            var segments = file.Segments;
            if (segments.Any(segment => replacements.ContainsKey(Part.Of(segment))))
            {
                tree.Put(path, new ManifestFile([.. segments.Select(segment => replacements.GetValueOrDefault(Part.Of(segment), segment))]));
            }
        }

        return replacements.Count > 0 ? tree.ToManifest() : manifest.ToArray();
    }

    private static (Part Part, Locator Block, string Locator) Parse(string text)
    {
        if (text.Split(' ') is [var locator, var offset, var length] && Locator.TryParse(locator, out var block)
            && int.TryParse(offset, NumberStyles.None, CultureInfo.InvariantCulture, out var from) && int.TryParse(length, NumberStyles.None, CultureInfo.InvariantCulture, out var count))
        {
            return (new Part(block.Hash, from, count), block, locator);
        }

        throw ApiException.BadRequest("replace_segments: an entry is not of the form 'locator offset length'");
    }

    // A signature is a credential: messages show the block only.
    private static string Shown(Locator block, Part part) =>
        new StringBuilder().Append(block.WithoutSignature()).Append(CultureInfo.InvariantCulture, $" {part.Offset} {part.Length}").ToString();

    private readonly record struct Part(BlockHash Hash, int Offset, int Length)
    {
        public static Part Of(ManifestSegment segment) => new(segment.Locator.Hash, segment.Offset, segment.Length);
    }
}
