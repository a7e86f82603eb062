using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace KeepFs.Engine.Blocks.Hashing;

/// <summary>Sixteen messages in AVX-512 vectors.</summary>
internal readonly unsafe struct Md5Vector512 : IMd5Arithmetic<Vector512<uint>>
{
    /// <summary>Pairs of 32 bits, then of 64 bits; then part p of b(4g + j) has word 4p + j of messages 4g to 4g + 3.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Vector512<uint>* Block(byte** messages, nint offset, Vector512<uint>* words)
    {
        var (a0, a1) = Zip32(Load(messages[0] + offset), Load(messages[1] + offset));
        var (a2, a3) = Zip32(Load(messages[2] + offset), Load(messages[3] + offset));
        var (b0, b1) = Zip64(a0, a2);
        var (b2, b3) = Zip64(a1, a3);
        var (a4, a5) = Zip32(Load(messages[4] + offset), Load(messages[5] + offset));
        var (a6, a7) = Zip32(Load(messages[6] + offset), Load(messages[7] + offset));
        var (b4, b5) = Zip64(a4, a6);
        var (b6, b7) = Zip64(a5, a7);
        var (a8, a9) = Zip32(Load(messages[8] + offset), Load(messages[9] + offset));
        var (a10, a11) = Zip32(Load(messages[10] + offset), Load(messages[11] + offset));
        var (b8, b9) = Zip64(a8, a10);
        var (b10, b11) = Zip64(a9, a11);
        var (a12, a13) = Zip32(Load(messages[12] + offset), Load(messages[13] + offset));
        var (a14, a15) = Zip32(Load(messages[14] + offset), Load(messages[15] + offset));
        var (b12, b13) = Zip64(a12, a14);
        var (b14, b15) = Zip64(a13, a15);

        Quarters(b0, b4, b8, b12, words + 0);
        Quarters(b1, b5, b9, b13, words + 1);
        Quarters(b2, b6, b10, b14, words + 2);
        Quarters(b3, b7, b11, b15, words + 3);
        return words;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> Add(Vector512<uint> left, Vector512<uint> right) => left + right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> F(Vector512<uint> a, Vector512<uint> b, Vector512<uint> c, Vector512<uint> d, Vector512<uint> m, uint k, [ConstantExpected] byte s) =>
        Avx512F.RotateLeft(a + m + Vector512.Create(k) + Avx512F.TernaryLogic(b, c, d, 0xCA), s) + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> G(Vector512<uint> a, Vector512<uint> b, Vector512<uint> c, Vector512<uint> d, Vector512<uint> m, uint k, [ConstantExpected] byte s) =>
        Avx512F.RotateLeft(a + m + Vector512.Create(k) + Avx512F.TernaryLogic(b, c, d, 0xE4), s) + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> H(Vector512<uint> a, Vector512<uint> b, Vector512<uint> c, Vector512<uint> d, Vector512<uint> m, uint k, [ConstantExpected] byte s) =>
        Avx512F.RotateLeft(a + m + Vector512.Create(k) + Avx512F.TernaryLogic(b, c, d, 0x96), s) + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> I(Vector512<uint> a, Vector512<uint> b, Vector512<uint> c, Vector512<uint> d, Vector512<uint> m, uint k, [ConstantExpected] byte s) =>
        Avx512F.RotateLeft(a + m + Vector512.Create(k) + Avx512F.TernaryLogic(b, c, d, 0x39), s) + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<uint> Load(byte* words) => Vector512.Load((uint*)words);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector512<uint> Low, Vector512<uint> High) Zip32(Vector512<uint> left, Vector512<uint> right) =>
        (Avx512F.UnpackLow(left, right), Avx512F.UnpackHigh(left, right));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector512<uint> Low, Vector512<uint> High) Zip64(Vector512<uint> left, Vector512<uint> right) =>
        (Avx512F.UnpackLow(left.AsUInt64(), right.AsUInt64()).AsUInt32(), Avx512F.UnpackHigh(left.AsUInt64(), right.AsUInt64()).AsUInt32());

    /// <summary>Part p of the four becomes words[4p].</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Quarters(Vector512<uint> v0, Vector512<uint> v1, Vector512<uint> v2, Vector512<uint> v3, Vector512<uint>* words)
    {
        var (even01, odd01) = (Avx512F.Shuffle4x128(v0, v1, 0b10_00_10_00), Avx512F.Shuffle4x128(v0, v1, 0b11_01_11_01));
        var (even23, odd23) = (Avx512F.Shuffle4x128(v2, v3, 0b10_00_10_00), Avx512F.Shuffle4x128(v2, v3, 0b11_01_11_01));
        words[0] = Avx512F.Shuffle4x128(even01, even23, 0b10_00_10_00);
        words[4] = Avx512F.Shuffle4x128(odd01, odd23, 0b10_00_10_00);
        words[8] = Avx512F.Shuffle4x128(even01, even23, 0b11_01_11_01);
        words[12] = Avx512F.Shuffle4x128(odd01, odd23, 0b11_01_11_01);
    }
}
