namespace KeepFs.Engine.Blocks;

/// <summary>The closed list of what can go wrong with blocks; each front translates it in one place.</summary>
public enum KeepErrorKind
{
    /// <summary>Every place that could hold the block says that it does not.</summary>
    NotFound,

    /// <summary>Every copy that was found has bytes that do not match the hash.</summary>
    Corrupt,

    /// <summary>The token or signature does not give access.</summary>
    PermissionDenied,

    /// <summary>Fewer copies than wanted could be written.</summary>
    InsufficientReplicas,

    /// <summary>No space left where the block would go.</summary>
    Full,

    /// <summary>A service, disk or mount does not answer now; trying again may help.</summary>
    Unavailable,

    /// <summary>The request itself is wrong: locator, size, class.</summary>
    BadRequest,

    /// <summary>Two different contents with one hash.</summary>
    Collision,

    /// <summary>Memory budget and its waiting line are both spent.</summary>
    Overloaded,
}
