using KeepFs.Catalog.Records;

namespace KeepFs.Catalog.Exchange;

/// <summary>A kind of lines in an export (docs/catalog-export.md).</summary>
/// <param name="Kind">Value of <c>kind</c>.</param>
/// <param name="Type">Table and columns.</param>
internal sealed record ExchangeKind(string Kind, RecordType Type)
{
    /// <summary>The order of lines.</summary>
    public string Order { get; init; } = "id";

    /// <summary>What tells one record from another.</summary>
    public IReadOnlyList<string> Keys { get; init; } = ["uuid"];

    /// <summary>Which rows are records; the others are made from the configuration.</summary>
    public string Condition { get; init; } = "true";

    public string Table => Type.Table;

    /// <summary>Attributes of a line, in their order.</summary>
    public IReadOnlyList<Column> Columns { get; } = [.. Type.StoredColumns.Where(column => !column.IsHidden || column.IsPrivate)];
}
