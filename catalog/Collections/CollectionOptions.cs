namespace KeepFs.Catalog.Collections;

/// <summary>Options of a write to a collection.</summary>
internal sealed record CollectionOptions
{
    public bool EnsureUniqueName { get; init; }

    public bool IncludeTrash { get; init; }

    /// <summary>Checked against the content inside the transaction of the write; null = not checked.</summary>
    public string? IfPortableDataHash { get; init; }

    public ReplaceFiles? ReplaceFiles { get; init; }
}
