namespace KeepFs.Engine.Catalog;

/// <summary>Why the catalogue refused.</summary>
public enum CatalogErrorKind
{
    /// <summary>No such record, or not readable with this token.</summary>
    NotFound,

    /// <summary>Token missing, wrong or expired.</summary>
    Unauthorized,

    /// <summary>The token may not do that.</summary>
    Forbidden,

    /// <summary>The content is not the expected one any more (<see cref="CollectionChange.IfPortableDataHash"/>).</summary>
    PreconditionFailed,

    /// <summary>The request is wrong: validation, name taken.</summary>
    Invalid,

    /// <summary>The catalogue does not answer, or not now.</summary>
    Unavailable,

    /// <summary>A WebDAV lock is in the way (<see cref="DavChange"/>); <see cref="CatalogException.LockedPath"/> is where.</summary>
    Locked,

    /// <summary>More than the catalogue keeps.</summary>
    TooLarge,

    /// <summary>A quota of a user or project is used up.</summary>
    QuotaExceeded,
}

/// <summary>A catalogue request failed; the message holds the catalogue's own words.</summary>
public sealed class CatalogException : IOException
{
    /// <summary>Creates the error.</summary>
    public CatalogException(CatalogErrorKind kind, string message, Exception? inner = null)
        : base(message, inner) => Kind = kind;

    /// <summary>Why.</summary>
    public CatalogErrorKind Kind { get; }

    /// <summary>The path in its collection whose lock is in the way; null for other errors.</summary>
    public string? LockedPath { get; init; }
}
