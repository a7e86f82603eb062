using KeepFs.Catalog.Permissions;
using KeepFs.Engine.Manifests;

namespace KeepFs.Catalog.Collections;

/// <content>What a request does to the content, worked out before the write lock is taken.</content>
internal sealed partial class CollectionWriter
{
    private async Task<ContentPlan> PlanAsync(Caller caller, Dictionary<string, object?> given, CollectionOptions options, CancellationToken ct)
    {
        var hasManifest = given.Remove("manifest_text", out var value);
        var manifest = value as byte[] ?? [];
        if (options.ReplaceFiles is not { } replace)
        {
            return new ContentPlan(catalog, caller, hasManifest ? manifest : null, options.ReplaceSegments);
        }

        if (manifest.Length > 0 && !replace.UsesManifest)
        {
            throw ApiException.BadRequest("replace_files: manifest_text is given but no source uses it");
        }

        var sources = new Dictionary<string, ManifestTree>(StringComparer.Ordinal);
        foreach (var hash in replace.PortableDataHashes)
        {
            var row = await catalog.Database.ReadAsync(session => CollectionLookup.FindByHash(session, hash, caller, includeTrash: false), ct);
            sources[hash] = ManifestTree.Load((row ?? throw ApiException.NotFound($"replace_files: no readable collection has the content {hash}")).Bytes("manifest_text"));
        }

        return new ContentPlan(catalog, caller, replace, sources, manifest.Length == 0 ? null : Parse(manifest), options.ReplaceSegments);
    }

    private static ManifestTree Parse(byte[] manifest)
    {
        try
        {
            return ManifestValidator.Validate(manifest) is { } fault
                ? throw ApiException.BadRequest($"replace_files: {fault}")
                : ManifestTree.Load(manifest);
        }
        catch (ManifestException e)
        {
            throw ApiException.BadRequest($"replace_files: {e.Message}");
        }
    }

    /// <summary>Makes the new content from the present one; can be repeated.</summary>
    private sealed class ContentPlan
    {
        private readonly CatalogContext _catalog;
        private readonly Caller _caller;
        private readonly byte[]? _manifest;
        private readonly ReplaceFiles? _replace;
        private readonly ReplaceSegments? _segments;
        private readonly Dictionary<string, ManifestTree> _sources = [];
        private readonly ManifestTree? _given;
        private CollectionContent? _built;

        public ContentPlan(CatalogContext catalog, Caller caller, byte[]? manifest, ReplaceSegments? segments)
        {
            (_catalog, _caller, _manifest, _segments) = (catalog, caller, manifest, segments);
            if (segments is not null)
            {
                RequireSignatures(segments.Blocks());
            }
        }

        public ContentPlan(CatalogContext catalog, Caller caller, ReplaceFiles replace, Dictionary<string, ManifestTree> sources, ManifestTree? given, ReplaceSegments? segments)
            : this(catalog, caller, null, segments)
        {
            (_replace, _sources, _given) = (replace, sources, given);
            if (given is not null)
            {
                RequireSignatures(replace.TakenFromManifest(given));
            }
        }

        public ReplaceFiles? Replace => _replace;

        public bool ChangesContent => _manifest is not null || _replace is not null || _segments is not null;

        public CollectionContent Build(ReadOnlyMemory<byte> current)
        {
            if (_segments is null)
            {
                return BuildFiles(current);
            }

            // Segments alone are replaced in what is there, which was checked when it was stored.
            var files = _manifest is null && _replace is null ? current : BuildFiles(current).Stored;
            return CollectionContent.Of(_segments.Apply(files));
        }

        private CollectionContent BuildFiles(ReadOnlyMemory<byte> current)
        {
            if (_replace is not null)
            {
                return CollectionContent.Of(_replace.Apply(current, _sources, _given));
            }

            var manifest = _manifest ?? [];
            _built ??= CollectionContent.Of(manifest);
            if (!_built.Stored.AsSpan().SequenceEqual(current.Span))
            {
                RequireSignatures(manifest);
            }

            return _built;
        }

        private void RequireSignatures(byte[] manifest)
        {
            if (!_caller.IsAdmin)
            {
                CollectionContent.RequireSignatures(
                    manifest, _catalog.Signer, _caller.Token, _catalog.Time.GetUtcNow(), _catalog.Config.Collections.BlobSigning);
            }
        }
    }
}
