namespace KeepFs.Engine.Blocks;

/// <summary>Outcome of checking a locator's permission signature (blocks.md section 3.1).</summary>
public enum SignatureCheck
{
    /// <summary>Signed for this token and not expired.</summary>
    Valid,

    /// <summary>No well-formed signature.</summary>
    Missing,

    /// <summary>The expiry lies in the past; tested before the HMAC.</summary>
    Expired,

    /// <summary>Signed for another token, key, block, expiry or lifetime.</summary>
    Invalid,
}
