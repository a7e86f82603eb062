namespace KeepFs.Catalog.Records;

/// <summary>What a column holds; decides its JSON form, its stored form and the filters it takes (catalog-api.md 3.3).</summary>
internal enum ColumnKind
{
    /// <summary>Text.</summary>
    Text,

    /// <summary>Hashes and other identifiers: text that searches of "any" leave out.</summary>
    Identifier,

    /// <summary>UUID of a record.</summary>
    Uuid,

    /// <summary>64-bit integer.</summary>
    Integer,

    /// <summary>Stored as 0 or 1.</summary>
    Boolean,

    /// <summary>UTC with microseconds, stored as text of fixed width (see <see cref="Timestamp"/>).</summary>
    Time,

    /// <summary>JSON object, stored as canonical text.</summary>
    Object,

    /// <summary>JSON array of strings, stored as canonical text.</summary>
    Array,

    /// <summary>Manifest: UTF-8 bytes, never a string.</summary>
    Manifest,
}
