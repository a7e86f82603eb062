using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace KeepFs.Engine.Blocks.Hashing;

/// <summary>Four messages in 128-bit vectors of any kind (SSE2, AdvSimd).</summary>
internal readonly unsafe struct Md5Vector128 : IMd5Arithmetic<Vector128<uint>>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<uint>* Block(byte** messages, nint offset, Vector128<uint>* scratch)
    {
        for (var i = 0; i < 16; i += 4, offset += 16)
        {
            var (w0, w1, w2, w3) = (Load(messages[0] + offset), Load(messages[1] + offset), Load(messages[2] + offset), Load(messages[3] + offset));
            var (low01, high01, low23, high23) = (ZipLow(w0, w1).AsUInt64(), ZipHigh(w0, w1).AsUInt64(), ZipLow(w2, w3).AsUInt64(), ZipHigh(w2, w3).AsUInt64());
            scratch[i] = ZipLow(low01, low23).AsUInt32();
            scratch[i + 1] = ZipHigh(low01, low23).AsUInt32();
            scratch[i + 2] = ZipLow(high01, high23).AsUInt32();
            scratch[i + 3] = ZipHigh(high01, high23).AsUInt32();
        }

        return scratch;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<uint> Add(Vector128<uint> left, Vector128<uint> right) => left + right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<uint> F(Vector128<uint> a, Vector128<uint> b, Vector128<uint> c, Vector128<uint> d, Vector128<uint> m, uint k, [ConstantExpected] byte s) =>
        Rotate(a + m + Vector128.Create(k) + Vector128.ConditionalSelect(b, c, d), s) + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<uint> G(Vector128<uint> a, Vector128<uint> b, Vector128<uint> c, Vector128<uint> d, Vector128<uint> m, uint k, [ConstantExpected] byte s) =>
        Rotate(a + m + Vector128.Create(k) + Vector128.ConditionalSelect(d, b, c), s) + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<uint> H(Vector128<uint> a, Vector128<uint> b, Vector128<uint> c, Vector128<uint> d, Vector128<uint> m, uint k, [ConstantExpected] byte s) =>
        Rotate(a + m + Vector128.Create(k) + (b ^ (c ^ d)), s) + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<uint> I(Vector128<uint> a, Vector128<uint> b, Vector128<uint> c, Vector128<uint> d, Vector128<uint> m, uint k, [ConstantExpected] byte s) =>
        Rotate(a + m + Vector128.Create(k) + (c ^ (b | ~d)), s) + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<uint> Rotate(Vector128<uint> value, [ConstantExpected] byte s) => (value << s) | (value >>> (32 - s));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<uint> Load(byte* words) => Vector128.Load((uint*)words);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<uint> ZipLow(Vector128<uint> left, Vector128<uint> right) =>
        Sse2.IsSupported ? Sse2.UnpackLow(left, right) : AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.ZipLow(left, right) : Vector128.Create(left[0], right[0], left[1], right[1]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<uint> ZipHigh(Vector128<uint> left, Vector128<uint> right) =>
        Sse2.IsSupported ? Sse2.UnpackHigh(left, right) : AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.ZipHigh(left, right) : Vector128.Create(left[2], right[2], left[3], right[3]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<ulong> ZipLow(Vector128<ulong> left, Vector128<ulong> right) =>
        Sse2.IsSupported ? Sse2.UnpackLow(left, right) : AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.ZipLow(left, right) : Vector128.Create(left[0], right[0]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<ulong> ZipHigh(Vector128<ulong> left, Vector128<ulong> right) =>
        Sse2.IsSupported ? Sse2.UnpackHigh(left, right) : AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.ZipHigh(left, right) : Vector128.Create(left[1], right[1]);
}
