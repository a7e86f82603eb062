using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Security.Cryptography;

namespace KeepFs.Engine.Blocks;

/// <summary>
/// HMAC-SHA1 of eight messages at once that differ in their first 32 bytes only, as the signatures of one manifest do: what is the same is worked out once, and
/// eight hashes take about as long as one. Immutable; safe for concurrent use.
/// </summary>
internal sealed class SignatureLanes
{
    /// <summary>Messages at once.</summary>
    public const int Count = 8;

    private const int BlockBytes = 64, HashTextBytes = 32, Rounds = 80, Words = 16;

    private readonly uint[] _inner;
    private readonly uint[] _outer;

    public SignatureLanes(ReadOnlySpan<byte> key)
    {
        Span<byte> block = stackalloc byte[BlockBytes];
        block.Clear();
        if (key.Length > BlockBytes)
        {
            SHA1.HashData(key, block);
        }
        else
        {
            key.CopyTo(block);
        }

        (_inner, _outer) = (Keyed(block, 0x36), Keyed(block, 0x5C));
    }

    /// <summary>Without vectors of this width the platform's own is faster.</summary>
    public static bool IsSupported => Vector256.IsHardwareAccelerated;

    /// <summary>What follows the first 32 bytes, with its padding and its message schedule.</summary>
    public static uint[] Tail(ReadOnlySpan<byte> tail)
    {
        var length = HashTextBytes + tail.Length;
        var padded = new byte[(length + 9 + BlockBytes - 1) / BlockBytes * BlockBytes];
        tail.CopyTo(padded.AsSpan(HashTextBytes));
        padded[length] = 0x80;
        BinaryPrimitives.WriteUInt64BigEndian(padded.AsSpan(padded.Length - 8), (ulong)(BlockBytes + length) * 8);

        // Of the first block half the words come later; of the others everything is known.
        var schedule = new uint[Words + ((padded.Length / BlockBytes) - 1) * Rounds];
        for (var i = 0; i < Words; i++)
        {
            schedule[i] = BinaryPrimitives.ReadUInt32BigEndian(padded.AsSpan(i * 4));
        }

        for (var block = 1; block < padded.Length / BlockBytes; block++)
        {
            var w = schedule.AsSpan(Words + ((block - 1) * Rounds), Rounds);
            for (var i = 0; i < Rounds; i++)
            {
                w[i] = i < Words
                    ? BinaryPrimitives.ReadUInt32BigEndian(padded.AsSpan((block * BlockBytes) + (i * 4)))
                    : uint.RotateLeft(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
            }
        }

        return schedule;
    }

    /// <summary>The MACs of eight messages.</summary>
    /// <param name="text">Holds their first 32 bytes.</param>
    /// <param name="places">Where, for each.</param>
    /// <param name="tail">See <see cref="Tail"/>.</param>
    /// <param name="macs">Eight times 20 bytes.</param>
    [SkipLocalsInit]
    public void Compute(ReadOnlySpan<byte> text, ReadOnlySpan<int> places, uint[] tail, Span<byte> macs)
    {
        Span<Vector256<uint>> w = stackalloc Vector256<uint>[Rounds];
        Span<Vector256<uint>> state = stackalloc Vector256<uint>[5];
        Span<uint> lanes = stackalloc uint[Count];
        for (var i = 0; i < Words; i++)
        {
            if (i >= HashTextBytes / 4)
            {
                w[i] = Vector256.Create(tail[i]);
                continue;
            }

            for (var lane = 0; lane < Count; lane++)
            {
                lanes[lane] = BinaryPrimitives.ReadUInt32BigEndian(text[(places[lane] + (i * 4))..]);
            }

            w[i] = Vector256.Create<uint>(lanes);
        }

        Start(state, _inner);
        Expand(w);
        Compress(state, w);
        for (var known = Words; known < tail.Length; known += Rounds)
        {
            for (var i = 0; i < Rounds; i++)
            {
                w[i] = Vector256.Create(tail[known + i]);
            }

            Compress(state, w);
        }

        state.CopyTo(w);
        w[5] = Vector256.Create(0x80000000u);
        w[6..15].Clear();
        w[15] = Vector256.Create((uint)(BlockBytes + SHA1.HashSizeInBytes) * 8);
        Start(state, _outer);
        Expand(w);
        Compress(state, w);
        for (var i = 0; i < state.Length; i++)
        {
            for (var lane = 0; lane < Count; lane++)
            {
                BinaryPrimitives.WriteUInt32BigEndian(macs[((lane * SHA1.HashSizeInBytes) + (i * 4))..], state[i][lane]);
            }
        }
    }

    private static uint[] Keyed(ReadOnlySpan<byte> key, byte pad)
    {
        Span<Vector256<uint>> w = stackalloc Vector256<uint>[Rounds];
        Span<Vector256<uint>> state = stackalloc Vector256<uint>[5];
        for (var i = 0; i < Words; i++)
        {
            w[i] = Vector256.Create(BinaryPrimitives.ReadUInt32BigEndian(key[(i * 4)..]) ^ (pad * 0x01010101u));
        }

        Start(state, [0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0]);
        Expand(w);
        Compress(state, w);
        return [state[0][0], state[1][0], state[2][0], state[3][0], state[4][0]];
    }

    private static void Start(Span<Vector256<uint>> state, ReadOnlySpan<uint> from)
    {
        for (var i = 0; i < state.Length; i++)
        {
            state[i] = Vector256.Create(from[i]);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Expand(Span<Vector256<uint>> w)
    {
        for (var i = Words; i < Rounds; i++)
        {
            w[i] = Rotate(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Compress(Span<Vector256<uint>> state, ReadOnlySpan<Vector256<uint>> w)
    {
        var (a, b, c, d, e) = (state[0], state[1], state[2], state[3], state[4]);
        var k = Vector256.Create(0x5A827999u);
        for (var i = 0; i < 20; i++)
        {
            (a, b, c, d, e) = (Rotate(a, 5) + (d ^ (b & (c ^ d))) + e + k + w[i], a, Rotate(b, 30), c, d);
        }

        k = Vector256.Create(0x6ED9EBA1u);
        for (var i = 20; i < 40; i++)
        {
            (a, b, c, d, e) = (Rotate(a, 5) + (b ^ c ^ d) + e + k + w[i], a, Rotate(b, 30), c, d);
        }

        k = Vector256.Create(0x8F1BBCDCu);
        for (var i = 40; i < 60; i++)
        {
            (a, b, c, d, e) = (Rotate(a, 5) + ((b & c) | (d & (b | c))) + e + k + w[i], a, Rotate(b, 30), c, d);
        }

        k = Vector256.Create(0xCA62C1D6u);
        for (var i = 60; i < Rounds; i++)
        {
            (a, b, c, d, e) = (Rotate(a, 5) + (b ^ c ^ d) + e + k + w[i], a, Rotate(b, 30), c, d);
        }

        (state[0], state[1], state[2], state[3], state[4]) = (state[0] + a, state[1] + b, state[2] + c, state[3] + d, state[4] + e);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<uint> Rotate(Vector256<uint> value, int count) => (value << count) | (value >>> (32 - count));
}
