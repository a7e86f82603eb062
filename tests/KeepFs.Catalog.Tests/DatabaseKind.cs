namespace KeepFs.Catalog.Tests;

/// <summary>Where a test's catalogue is kept.</summary>
public enum DatabaseKind
{
    /// <summary>A file.</summary>
    Sqlite,

    /// <summary>A database of <see cref="PostgresDatabases"/>.</summary>
    Postgres,
}
