using System.Text.RegularExpressions;
using KeepFs.Engine.Catalog;
using KeepFs.Engine.Manifests;

namespace KeepFs.Cli.Transfer;

/// <summary><c>COLLECTION[/path]</c>: a collection by UUID or portable data hash and a place in it (client-cli.md section 1.3).</summary>
internal sealed partial record SourceLocation(string Collection, string Path)
{
    public static SourceLocation Parse(string text)
    {
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        var location = slash < 0 ? new SourceLocation(text, "") : new SourceLocation(text[..slash], text[(slash + 1)..].Trim('/'));
        return Id().IsMatch(location.Collection)
            ? location
            : throw new CommandException($"\"{location.Collection}\" is neither a collection UUID (zzzzz-4zz18-...) nor a portable data hash (32 digits+size).", 2);
    }

    /// <summary>Loads the collection and finds the place.</summary>
    public async Task<(Collection Record, ManifestNode Node)> LoadAsync(ICatalog catalog, CancellationToken cancellationToken)
    {
        var record = await catalog.FindCollectionAsync(Collection, null, cancellationToken)
            ?? throw new CommandException($"There is no collection {Collection}, or this token may not read it.");
        var node = ManifestTree.Load(record.ManifestText ?? default).Find(Path)
            ?? throw new CommandException($"There is no \"{Path}\" in collection {Collection}.");
        return (record, node);
    }

    [GeneratedRegex(@"\A([a-z0-9]{5}-4zz18-[a-z0-9]{15}|[0-9a-f]{32}\+[0-9]+)\z", RegexOptions.CultureInvariant)]
    private static partial Regex Id();
}
