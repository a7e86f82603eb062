using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace KeepFs.Engine.Blocks.Hashing;

/// <summary>Eight messages in AVX2 vectors.</summary>
internal readonly unsafe struct Md5Vector256 : IMd5Arithmetic<Vector256<uint>>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<uint>* Block(byte** messages, nint offset, Vector256<uint>* scratch)
    {
        Transpose(messages, offset, scratch);
        Transpose(messages, offset + 32, scratch + 8);
        return scratch;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<uint> Add(Vector256<uint> left, Vector256<uint> right) => left + right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<uint> F(Vector256<uint> a, Vector256<uint> b, Vector256<uint> c, Vector256<uint> d, Vector256<uint> m, uint k, [ConstantExpected] byte s) =>
        Rotate(a + m + Vector256.Create(k) + Vector256.ConditionalSelect(b, c, d), s) + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<uint> G(Vector256<uint> a, Vector256<uint> b, Vector256<uint> c, Vector256<uint> d, Vector256<uint> m, uint k, [ConstantExpected] byte s) =>
        Rotate(a + m + Vector256.Create(k) + Vector256.ConditionalSelect(d, b, c), s) + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<uint> H(Vector256<uint> a, Vector256<uint> b, Vector256<uint> c, Vector256<uint> d, Vector256<uint> m, uint k, [ConstantExpected] byte s) =>
        Rotate(a + m + Vector256.Create(k) + (b ^ (c ^ d)), s) + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<uint> I(Vector256<uint> a, Vector256<uint> b, Vector256<uint> c, Vector256<uint> d, Vector256<uint> m, uint k, [ConstantExpected] byte s) =>
        Rotate(a + m + Vector256.Create(k) + (c ^ (b | ~d)), s) + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<uint> Rotate(Vector256<uint> value, [ConstantExpected] byte s) => (value << s) | (value >>> (32 - s));

    /// <summary>Eight words of eight messages: pairs of 32 bits, then of 64 bits, then the halves. Compiled well at once: blocks are large, so the first seconds of a program matter.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Transpose(byte** messages, nint offset, Vector256<uint>* words)
    {
        var (a0, a1) = Zip32(Load(messages[0] + offset), Load(messages[1] + offset));
        var (a2, a3) = Zip32(Load(messages[2] + offset), Load(messages[3] + offset));
        var (a4, a5) = Zip32(Load(messages[4] + offset), Load(messages[5] + offset));
        var (a6, a7) = Zip32(Load(messages[6] + offset), Load(messages[7] + offset));
        var (b0, b1) = Zip64(a0, a2);
        var (b2, b3) = Zip64(a1, a3);
        var (b4, b5) = Zip64(a4, a6);
        var (b6, b7) = Zip64(a5, a7);
        (words[0], words[4]) = Halves(b0, b4);
        (words[1], words[5]) = Halves(b1, b5);
        (words[2], words[6]) = Halves(b2, b6);
        (words[3], words[7]) = Halves(b3, b7);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<uint> Load(byte* words) => Vector256.Load((uint*)words);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector256<uint> Low, Vector256<uint> High) Zip32(Vector256<uint> left, Vector256<uint> right) =>
        (Avx2.UnpackLow(left, right), Avx2.UnpackHigh(left, right));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector256<uint> Low, Vector256<uint> High) Zip64(Vector256<uint> left, Vector256<uint> right) =>
        (Avx2.UnpackLow(left.AsUInt64(), right.AsUInt64()).AsUInt32(), Avx2.UnpackHigh(left.AsUInt64(), right.AsUInt64()).AsUInt32());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector256<uint> Low, Vector256<uint> High) Halves(Vector256<uint> left, Vector256<uint> right) =>
        (Avx2.Permute2x128(left, right, 0x20), Avx2.Permute2x128(left, right, 0x31));
}
