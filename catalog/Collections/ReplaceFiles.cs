using System.Text.Json;
using KeepFs.Engine.Manifests;

namespace KeepFs.Catalog.Collections;

/// <summary>
/// The option <c>replace_files</c> (catalog-api.md 4.9): target path → source. Checked when made; applied to a manifest by a pure
/// function, so that it can be repeated when the collection changes in the meantime. Faults are 400.
/// </summary>
internal sealed class ReplaceFiles
{
    private const string FromManifest = "manifest_text";
    private const string FromCurrent = "current";

    private readonly List<(string Target, string Source)> _entries = [];

    /// <param name="value">The option's value.</param>
    public ReplaceFiles(JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.Object)
        {
            throw ApiException.BadRequest("replace_files: must be an object");
        }

        foreach (var property in value.EnumerateObject())
        {
            if (property.Value.ValueKind != JsonValueKind.String)
            {
                throw ApiException.BadRequest($"replace_files: source of '{property.Name}' must be a string");
            }

            _entries.Add((Target(property.Name), property.Value.GetString()!));
        }

        CheckNesting();
        foreach (var (_, source) in _entries.Where(entry => entry.Source.Length > 0))
        {
            var root = Root(source);
            if (root is not (FromManifest or FromCurrent) && !PortableDataHash.IsPortableDataHash(root))
            {
                throw ApiException.BadRequest($"replace_files: source '{source}' must be '', 'current/path', 'manifest_text/path' or 'PDH/path'");
            }

            if (root == FromCurrent && !UsesCurrent)
            {
                throw ApiException.BadRequest($"replace_files: source '{source}' does not exist: with the target '/' the collection starts empty");
            }
        }
    }

    /// <summary>Target and source of each change, as they were given.</summary>
    public IReadOnlyList<(string Target, string Source)> Entries => _entries;

    /// <summary>The collections that sources name, by portable data hash.</summary>
    public IEnumerable<string> PortableDataHashes => _entries
        .Where(entry => entry.Source.Length > 0)
        .Select(entry => Root(entry.Source))
        .Where(root => root is not (FromManifest or FromCurrent))
        .Distinct(StringComparer.Ordinal);

    public bool UsesManifest => _entries.Any(entry => entry.Source.Length > 0 && Root(entry.Source) == FromManifest);

    /// <summary>The result depends on what the collection holds now.</summary>
    public bool UsesCurrent => !_entries.Any(entry => entry.Target == "/");

    /// <summary>The nodes that the result takes from the request's manifest, as a manifest of their own, for the check of signatures.</summary>
    public byte[] TakenFromManifest(ManifestTree given)
    {
        var taken = new ManifestTree();
        var count = 0;
        foreach (var (_, source) in _entries.Where(entry => entry.Source.Length > 0 && Root(entry.Source) == FromManifest))
        {
            taken.Put($"{count++}", Source(source, given));
        }

        return taken.ToManifest();
    }

    /// <summary>The new manifest.</summary>
    /// <param name="current">The manifest now; empty when the collection is being created.</param>
    /// <param name="sources">Trees of <see cref="PortableDataHashes"/>.</param>
    /// <param name="given">The request's manifest.</param>
    /// <param name="look">Shown what is there before.</param>
    public byte[] Apply(ReadOnlyMemory<byte> current, IReadOnlyDictionary<string, ManifestTree> sources, ManifestTree? given, Action<ManifestTree> look)
    {
        var before = UsesCurrent ? ManifestTree.Load(current) : new ManifestTree();
        look(before);

        // Sources are taken from what was there; when none is, it can be edited in place.
        var copies = _entries.Any(entry => entry.Source.Length > 0 && Root(entry.Source) == FromCurrent);
        var result = copies ? ManifestTree.Load(current) : before;
        try
        {
            foreach (var (target, _) in _entries.Where(entry => entry.Source.Length == 0 && entry.Target != "/"))
            {
                result.Remove(target);
            }

            foreach (var (target, source) in _entries.Where(entry => entry.Source.Length > 0))
            {
                var root = Root(source);
                result.Put(target, Source(source, root switch
                {
                    FromCurrent => before,
                    FromManifest => given ?? new ManifestTree(),
                    _ => sources[root],
                }));
            }
        }
        catch (ManifestException e)
        {
            throw ApiException.BadRequest($"replace_files: {e.Message}");
        }

        return result.ToManifest();
    }

    private static ManifestNode Source(string source, ManifestTree tree)
    {
        var slash = source.IndexOf('/', StringComparison.Ordinal);
        var path = slash < 0 ? "" : source[(slash + 1)..].TrimEnd('/');
        try
        {
            return tree.Find(path) ?? throw ApiException.BadRequest($"replace_files: source '{source}' does not exist");
        }
        catch (ManifestException)
        {
            throw ApiException.BadRequest($"replace_files: source '{source}' is not a valid path");
        }
    }

    private static string Root(string source)
    {
        var slash = source.IndexOf('/', StringComparison.Ordinal);
        return slash < 0 ? source : source[..slash];
    }

    private static string Target(string path)
    {
        var isCanonical = path == "/"
            || (path.StartsWith('/') && path[1..].Split('/').All(component => component is not ("" or "." or "..")));
        return isCanonical ? path : throw ApiException.BadRequest($"replace_files: target '{path}' is not an absolute canonical path");
    }

    private void CheckNesting()
    {
        var filled = _entries.Where(entry => entry.Source.Length > 0).Select(entry => entry.Target).ToHashSet(StringComparer.Ordinal);
        foreach (var (target, _) in _entries.Where(entry => entry.Target != "/"))
        {
            if (filled.Contains("/"))
            {
                throw ApiException.BadRequest($"replace_files: target '{target}' lies under '/', which has a source of its own");
            }

            for (var slash = target.LastIndexOf('/'); slash > 0; slash = target.LastIndexOf('/', slash - 1))
            {
                if (filled.Contains(target[..slash]))
                {
                    throw ApiException.BadRequest($"replace_files: target '{target}' lies under '{target[..slash]}', which has a source of its own");
                }
            }
        }
    }
}
