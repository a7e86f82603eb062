namespace KeepFs.Catalog.Records;

/// <summary>A kind of record: its names in URLs, tables and JSON, and its columns. Immutable.</summary>
internal sealed class RecordType
{
    private readonly Dictionary<string, Column> _byName;

    public RecordType(string table, string singular, string infix, string schema, params Column[] columns)
    {
        (Table, Singular, Infix, Schema, Columns) = (table, singular, infix, schema, columns);
        Kind = "arvados#" + char.ToLowerInvariant(schema[0]) + schema[1..];
        _byName = columns.ToDictionary(column => column.Name, StringComparer.Ordinal);
        StoredColumns = [.. columns.Where(column => !column.IsDerived)];
    }

    /// <summary>Table and plural name in URLs.</summary>
    public string Table { get; }

    /// <summary>Wrapper key in requests.</summary>
    public string Singular { get; }

    /// <summary>Middle part of its UUIDs.</summary>
    public string Infix { get; }

    /// <summary>Name in the discovery document.</summary>
    public string Schema { get; }

    /// <summary>Value of <c>kind</c>.</summary>
    public string Kind { get; }

    public IReadOnlyList<Column> Columns { get; }

    public IReadOnlyList<Column> StoredColumns { get; }

    /// <summary>Has trash_at, delete_at and is_trashed.</summary>
    public bool HasTrash => _byName.ContainsKey("trash_at");

    public Column? Find(string name) => _byName.GetValueOrDefault(name);

    /// <summary>The columns shown when nothing is selected.</summary>
    public IEnumerable<Column> Shown(bool inList) => Columns.Where(column => !column.IsHidden && !column.OnlyWhenSelected && !(inList && column.NotInLists));
}
