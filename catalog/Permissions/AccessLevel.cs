namespace KeepFs.Catalog.Permissions;

/// <summary>Permission levels (catalog-api.md 12); the values are stored.</summary>
internal enum AccessLevel
{
    None = 0,
    Read = 1,
    Write = 2,
    Manage = 3,
}
