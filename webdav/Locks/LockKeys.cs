using KeepFs.WebDav.Tree;

namespace KeepFs.WebDav.Locks;

/// <summary>Names resources in the lock table, whatever URL they are reached by: the record's UUID, then the path inside.</summary>
internal static class LockKeys
{
    public static string Of(string uuid, string path) => path.Length == 0 ? uuid : $"{uuid}/{path}";

    /// <summary>Null for what cannot be locked: the site tree, projects, free names in projects, fixed versions.</summary>
    public static string? Of(Place place) => place is CollectionPlace { Collection.IsReadOnly: false } inside
        ? Of(inside.Collection.Record.Uuid, inside.Path) : null;
}
