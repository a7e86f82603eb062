using System.Globalization;
using System.Text.RegularExpressions;
using KeepFs.Cli.Transfer;
using KeepFs.Engine.Catalog;
using KeepFs.Engine.FileSystems;
using KeepFs.Engine.Manifests;

namespace KeepFs.Cli.Diff;

/// <summary>One side of a comparison.</summary>
/// <param name="Entries">Its files and empty directories in the order of <see cref="PathOrder"/>.</param>
/// <param name="IsFile">It is one file, whose name does not matter.</param>
internal sealed record DiffTree(IEnumerable<DiffEntry> Entries, bool IsFile);

/// <summary>
/// What one argument of <c>keepfs diff</c> names: a collection by UUID or portable data hash, a version of it (<c>UUID@3</c>, <c>UUID@2026-11-01T12:00</c>), each
/// with a path behind it if need be, or a local file or directory.
/// </summary>
internal static partial class DiffSide
{
    /// <summary>The argument does not name anything local, so a cluster is needed.</summary>
    public static bool IsRemote(string argument) => Remote().IsMatch(argument);

    /// <summary>Finds what the argument names.</summary>
    /// <exception cref="CommandException">There is no such thing.</exception>
    public static async Task<DiffTree> OpenAsync(string argument, ICatalog? catalog, Action<SkippedEntry> skipped, CancellationToken cancellationToken)
    {
        var match = Remote().Match(argument);
        if (!match.Success)
        {
            return OpenLocal(argument, skipped);
        }

        var (id, version, path) = (match.Groups["id"].Value, match.Groups["version"].Value, match.Groups["path"].Value.Trim('/'));
        var record = await FindAsync(catalog!, id, version, cancellationToken);
        var tree = ManifestTree.Load(record.ManifestText ?? default);
        return tree.Find(path) switch
        {
            ManifestDirectory directory => new DiffTree(Leaves(Walk("", directory)), IsFile: false),
            ManifestFile file => new DiffTree([new DiffEntry(path[(path.LastIndexOf('/') + 1)..], file.SizeBytes, file, null)], IsFile: true),
            _ => throw new CommandException($"There is no \"{path}\" in collection {id}{(version.Length > 0 ? "@" + version : "")}."),
        };
    }

    private static DiffTree OpenLocal(string argument, Action<SkippedEntry> skipped)
    {
        if (!Path.Exists(argument))
        {
            throw new CommandException(
                $"\"{argument}\" is neither a local file or directory nor a collection (UUID, portable data hash, UUID@VERSION or UUID@TIME, with /PATH if need be).");
        }

        var tree = new LocalTree(followLinks: false, skipped);
        var isFile = !Directory.Exists(argument);
        var entries = tree.Walk(isFile ? argument : argument.TrimEnd('/') + "/");
        return new DiffTree(Leaves(entries.Select(entry => new DiffEntry(entry.Path, entry.SizeBytes, null, entry.LocalPath))), isFile);
    }

    private static async Task<Collection> FindAsync(ICatalog catalog, string id, string version, CancellationToken cancellationToken)
    {
        if (version.Length > 0)
        {
            var versions = await catalog.ListVersionsAsync(id, cancellationToken);
            var found = int.TryParse(version, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? versions.FirstOrDefault(known => known.Version == number)
                : VersionTime.TryParse(version, TimeZoneInfo.Local, out var time) ? VersionTime.At(versions, time)
                : throw new CommandException($"\"{version}\" is neither the number of a version nor a time such as 2026-11-01 or 2026-11-01T12:00.");
            id = found?.Uuid ?? throw new CommandException(
                versions.Count == 0 ? $"There is no collection {id}, or this token may not read it." : $"Collection {id} has no version {version}; it has {string.Join(", ", versions.Select(known => known.Version).Take(20))}.");
        }

        return await catalog.FindCollectionAsync(id, null, cancellationToken) ?? throw new CommandException($"There is no collection {id}, or this token may not read it.");
    }

    /// <summary>Without keeping nodes: a manifest can hold a million files.</summary>
    private static IEnumerable<DiffEntry> Walk(string prefix, ManifestDirectory directory)
    {
        foreach (var (name, _) in directory.Names())
        {
            var path = prefix + name;
            if (directory.Find(name) is ManifestDirectory child)
            {
                yield return new DiffEntry(path, -1, null, null);
                foreach (var entry in Walk(path + "/", child))
                {
                    yield return entry;
                }
            }
            else if (directory.Find(name) is ManifestFile file)
            {
                yield return new DiffEntry(path, file.SizeBytes, file, null);
            }
        }
    }

    /// <summary>Leaves out directories that have entries: those say enough.</summary>
    private static IEnumerable<DiffEntry> Leaves(IEnumerable<DiffEntry> entries)
    {
        DiffEntry? last = null;
        foreach (var entry in entries)
        {
            if (last is not null && !(last.IsDirectory && entry.Path.StartsWith(last.Path + "/", StringComparison.Ordinal)))
            {
                yield return last;
            }

            last = entry;
        }

        if (last is not null)
        {
            yield return last;
        }
    }

    [GeneratedRegex(@"\A(?<id>[a-z0-9]{5}-4zz18-[a-z0-9]{15}|[0-9a-f]{32}\+[0-9]+)(@(?<version>[^/]+))?(?<path>/.*)?\z", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex Remote();
}
