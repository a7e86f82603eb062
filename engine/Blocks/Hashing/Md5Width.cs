namespace KeepFs.Engine.Blocks.Hashing;

/// <summary>How many messages are hashed together, and with which instructions.</summary>
internal enum Md5Width
{
    /// <summary>One message.</summary>
    Scalar,

    /// <summary>Two messages in turn, in general registers.</summary>
    Pair,

    /// <summary>Four messages, any 128-bit vectors.</summary>
    Vector128,

    /// <summary>Eight messages, AVX2.</summary>
    Vector256,

    /// <summary>Eight messages, AVX-512VL.</summary>
    Ternary256,

    /// <summary>Sixteen messages, AVX-512F.</summary>
    Vector512,
}
