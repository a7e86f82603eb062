using KeepFs.Catalog.Records;
using KeepFs.Catalog.Storage;
using KeepFs.Engine.Catalog;
using KeepFs.Engine.Manifests;

namespace KeepFs.Catalog.Dav;

/// <summary>
/// Files that a WebDAV server puts without having looked at their places: what it would have looked at is checked here, beside the change itself
/// (docs/decisions/0041). Whatever is not as presumed refuses the change with 422; the server looks then.
/// </summary>
internal static class DavPuts
{
    /// <summary>Whether there is a file now, '1' or '0' for each put; null when the change puts none so.</summary>
    /// <param name="change">The change.</param>
    /// <param name="before">The content that it changes.</param>
    public static string? Existing(DavChange? change, ManifestTree before)
    {
        if (change?.Expects is null)
        {
            return null;
        }

        var puts = change.Writes.Where(write => write.IsPut).ToList();
        return string.Create(puts.Count, (puts, before), static (existing, state) =>
        {
            for (var i = 0; i < existing.Length; i++)
            {
                existing[i] = IsFile(state.before, state.puts[i].Path) ? '1' : '0';
            }
        });
    }

    /// <summary>Throws unless the records have their names still; the collection itself was found to be writable.</summary>
    public static void RequireNames(CatalogSession session, DavChange? change)
    {
        foreach (var expected in change?.Expects ?? [])
        {
            var type = RecordTypes.OfUuid(expected.Uuid);
            if (type != RecordTypes.Collections && type != RecordTypes.Groups)
            {
                throw ApiException.Invalid($"keepfs_dav: expects: {expected.Uuid} is no collection or project");
            }

            var found = session.Scalar(
                $"SELECT 1 FROM {type.Table} WHERE uuid = @p0 AND owner_uuid = @p1 AND name = @p2 AND is_trashed = 0", expected.Uuid, expected.OwnerUuid, expected.Name);
            if (found is null)
            {
                throw ApiException.Invalid($"keepfs_dav: expects: {expected.Uuid} is not '{expected.Name}' in {expected.OwnerUuid}");
            }
        }
    }

    /// <summary>The change with what was found out about its puts.</summary>
    public static DavChange? Resolve(DavChange? change, string? existing)
    {
        if (change is null || existing is null)
        {
            return change;
        }

        var next = 0;
        return change with { Writes = [.. change.Writes.Select(write => write.IsPut ? write with { ChangesParent = existing[next++] == '0' } : write)] };
    }

    private static bool IsFile(ManifestTree before, string path)
    {
        try
        {
            var parent = path.LastIndexOf('/') is >= 0 and var slash ? before.Find(path[..slash]) : before.Root;
            return (parent, before.Find(path)) switch
            {
                (not ManifestDirectory, _) => throw ApiException.Invalid($"keepfs_dav: the parent of '{path}' is no directory"),
                (_, ManifestDirectory) => throw ApiException.Invalid($"keepfs_dav: '{path}' is a directory"),
                (_, var node) => node is not null,
            };
        }
        catch (ManifestException e)
        {
            throw ApiException.Invalid($"keepfs_dav: {e.Message}");
        }
    }
}
