namespace KeepFs.Catalog.Records;

/// <summary>One attribute of a record type.</summary>
/// <param name="Name">Name in the API and, unless <see cref="IsDerived"/>, in the table.</param>
/// <param name="Kind">What it holds.</param>
internal sealed record Column(string Name, ColumnKind Kind)
{
    /// <summary>Clients may set it.</summary>
    public bool IsWritable { get; init; }

    /// <summary>Computed for each answer; not in the table under this name.</summary>
    public bool IsDerived { get; init; }

    /// <summary>Never shown, only searched (<c>file_names</c>).</summary>
    public bool IsHidden { get; init; }

    /// <summary>Neither shown nor searched: for the server itself, and exported. Implies <see cref="IsHidden"/>.</summary>
    public bool IsPrivate { get; init; }

    /// <summary>Shown only when selected by name.</summary>
    public bool OnlyWhenSelected { get; init; }

    /// <summary>Left out of lists unless selected.</summary>
    public bool NotInLists { get; init; }

    /// <summary>Unset is shown as <c>""</c>, not null.</summary>
    public bool EmptyForNull { get; init; }

    /// <summary>Longest text in characters; 0 = no limit of its own.</summary>
    public int MaxLength { get; init; }

    /// <summary>Filters may name it.</summary>
    public bool IsSearchable => !IsDerived && !IsPrivate && Kind != ColumnKind.Manifest;

    /// <summary>Part of the text that a search of "any" looks through (catalog-api.md 3.3).</summary>
    public bool IsInAnyText => IsSearchable && (Kind is ColumnKind.Text or ColumnKind.Object);
}
