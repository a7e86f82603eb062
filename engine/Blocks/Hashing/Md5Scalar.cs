using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using System.Runtime.CompilerServices;

namespace KeepFs.Engine.Blocks.Hashing;

/// <summary>One message in general registers; works on every machine.</summary>
internal readonly unsafe struct Md5Scalar : IMd5Arithmetic<uint>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint* Block(byte** messages, nint offset, uint* scratch)
    {
        var words = (uint*)(*messages + offset);
        if (BitConverter.IsLittleEndian)
        {
            return words;
        }

        BinaryPrimitives.ReverseEndianness(new ReadOnlySpan<uint>(words, 16), new Span<uint>(scratch, 16));
        return scratch;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Add(uint left, uint right) => left + right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint F(uint a, uint b, uint c, uint d, uint m, uint k, [ConstantExpected] byte s) =>
        BitOperations.RotateLeft(a + m + k + (d ^ (b & (c ^ d))), s) + b;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint G(uint a, uint b, uint c, uint d, uint m, uint k, [ConstantExpected] byte s) =>
        // The two halves have no bit in common, so they may be added: the half without b, which comes last, is added early.
        BitOperations.RotateLeft(a + m + k + (c & ~d) + (b & d), s) + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint H(uint a, uint b, uint c, uint d, uint m, uint k, [ConstantExpected] byte s) =>
        BitOperations.RotateLeft(a + m + k + (b ^ (c ^ d)), s) + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint I(uint a, uint b, uint c, uint d, uint m, uint k, [ConstantExpected] byte s) =>
        BitOperations.RotateLeft(a + m + k + (c ^ (b | ~d)), s) + b;
}
