using System.Diagnostics.CodeAnalysis;

namespace KeepFs.Engine.Blocks.Hashing;

/// <summary>
/// The steps of MD5 (RFC 1321 section 3.4) on one register: a word of one message, or of as many messages as a vector has lanes.
/// Each step is <c>b + rotl(a + f(b, c, d) + m + k, s)</c>; the four differ in f.
/// </summary>
internal unsafe interface IMd5Arithmetic<TVector>
    where TVector : unmanaged
{
    /// <summary>The 16 words of the block that lies <paramref name="offset"/> bytes into every message; in <paramref name="scratch"/> if they must be moved.</summary>
    static abstract TVector* Block(byte** messages, nint offset, TVector* scratch);

    static abstract TVector Add(TVector left, TVector right);

    /// <summary>f = b ? c : d.</summary>
    static abstract TVector F(TVector a, TVector b, TVector c, TVector d, TVector m, uint k, [ConstantExpected] byte s);

    /// <summary>f = d ? b : c.</summary>
    static abstract TVector G(TVector a, TVector b, TVector c, TVector d, TVector m, uint k, [ConstantExpected] byte s);

    /// <summary>f = b ^ c ^ d.</summary>
    static abstract TVector H(TVector a, TVector b, TVector c, TVector d, TVector m, uint k, [ConstantExpected] byte s);

    /// <summary>f = c ^ (b | ~d).</summary>
    static abstract TVector I(TVector a, TVector b, TVector c, TVector d, TVector m, uint k, [ConstantExpected] byte s);
}
