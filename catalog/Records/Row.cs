namespace KeepFs.Catalog.Records;

/// <summary>
/// One record in stored form: text, integer (long), manifest bytes or null by column name. Not safe for concurrent use. Columns that
/// were not read are absent; asking for one is a bug and throws.
/// </summary>
internal sealed class Row(RecordType type)
{
    /// <summary>Counts the changes of a stored record; the etag derives from it.</summary>
    public const string Revision = "revision";

    private readonly Dictionary<string, object?> _values = new(StringComparer.Ordinal);

    public RecordType Type { get; } = type;

    public IReadOnlyDictionary<string, object?> Values => _values;

    public string Uuid => Text("uuid")!;

    public object? this[string column]
    {
        get => _values.TryGetValue(column, out var value) ? value : throw new InvalidOperationException($"{Type.Table}.{column} was not read.");
        set => _values[column] = value;
    }

    public bool Has(string column) => _values.ContainsKey(column);

    public string? Text(string column) => (string?)this[column];

    public long? Integer(string column) => (long?)this[column];

    public bool Flag(string column) => this[column] is long and not 0;

    public DateTimeOffset? Time(string column) => Text(column) is { } text ? Timestamp.Parse(text) : null;

    public byte[] Bytes(string column) => (byte[]?)this[column] ?? [];

    public Row Clone()
    {
        var copy = new Row(Type);
        foreach (var (name, value) in _values)
        {
            copy._values[name] = value;
        }

        return copy;
    }

    /// <summary>Equality of two stored values.</summary>
    public static bool SameValue(object? left, object? right) =>
        left is byte[] a && right is byte[] b ? a.AsSpan().SequenceEqual(b) : Equals(left, right);
}
