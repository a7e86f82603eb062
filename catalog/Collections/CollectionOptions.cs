namespace KeepFs.Catalog.Collections;

/// <summary>Options of a write to a collection.</summary>
internal sealed record CollectionOptions
{
    public bool EnsureUniqueName { get; init; }

    public bool IncludeTrash { get; init; }

    /// <summary>Checked against the content inside the transaction of the write; null = not checked.</summary>
    public string? IfPortableDataHash { get; init; }

    public ReplaceFiles? ReplaceFiles { get; init; }

    /// <summary>Applied to what <c>manifest_text</c> and <see cref="ReplaceFiles"/> give.</summary>
    public ReplaceSegments? ReplaceSegments { get; init; }

    /// <summary>What comes with a write over WebDAV (docs/decisions/0029); null = nothing.</summary>
    public Engine.Catalog.DavChange? Dav { get; init; }
}
