using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace KeepFs.Engine.Blocks.Hashing;

/// <summary>Eight messages in 256-bit vectors with AVX-512VL's ternary logic and rotation: half the instructions of <see cref="Md5Vector256"/>.</summary>
internal readonly unsafe struct Md5Ternary256 : IMd5Arithmetic<Vector256<uint>>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<uint>* Block(byte** messages, nint offset, Vector256<uint>* scratch) => Md5Vector256.Block(messages, offset, scratch);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<uint> Add(Vector256<uint> left, Vector256<uint> right) => left + right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<uint> F(Vector256<uint> a, Vector256<uint> b, Vector256<uint> c, Vector256<uint> d, Vector256<uint> m, uint k, [ConstantExpected] byte s) =>
        Avx512F.VL.RotateLeft(a + m + Vector256.Create(k) + Avx512F.VL.TernaryLogic(b, c, d, 0xCA), s) + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<uint> G(Vector256<uint> a, Vector256<uint> b, Vector256<uint> c, Vector256<uint> d, Vector256<uint> m, uint k, [ConstantExpected] byte s) =>
        Avx512F.VL.RotateLeft(a + m + Vector256.Create(k) + Avx512F.VL.TernaryLogic(b, c, d, 0xE4), s) + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<uint> H(Vector256<uint> a, Vector256<uint> b, Vector256<uint> c, Vector256<uint> d, Vector256<uint> m, uint k, [ConstantExpected] byte s) =>
        Avx512F.VL.RotateLeft(a + m + Vector256.Create(k) + Avx512F.VL.TernaryLogic(b, c, d, 0x96), s) + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<uint> I(Vector256<uint> a, Vector256<uint> b, Vector256<uint> c, Vector256<uint> d, Vector256<uint> m, uint k, [ConstantExpected] byte s) =>
        Avx512F.VL.RotateLeft(a + m + Vector256.Create(k) + Avx512F.VL.TernaryLogic(b, c, d, 0x39), s) + b;
}
