using System.Buffers.Binary;

namespace KeepFs.Engine.Blocks.Hashing;

/// <summary>The running state of one MD5 (RFC 1321 section 3.3), between two of its 64-byte blocks. A value: a copy is a fork.</summary>
internal struct Md5State
{
    public const int BlockBytes = 64;
    private const int LengthBytes = 8;

    public uint A, B, C, D;

    /// <summary>Before the first block.</summary>
    public static Md5State Initial => new() { A = 0x67452301, B = 0xefcdab89, C = 0x98badcfe, D = 0x10325476 };

    /// <summary>The hash, given what is left after the last whole block that this state has seen.</summary>
    /// <param name="tail">Fewer bytes than one block.</param>
    /// <param name="totalBytes">Length of the whole message.</param>
    public readonly BlockHash Finish(ReadOnlySpan<byte> tail, long totalBytes)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(tail.Length, BlockBytes, nameof(tail));
        Span<byte> padded = stackalloc byte[2 * BlockBytes];
        padded.Clear();
        tail.CopyTo(padded);
        padded[tail.Length] = 0x80;
        padded = padded[..(tail.Length + 1 + LengthBytes <= BlockBytes ? BlockBytes : 2 * BlockBytes)];
        BinaryPrimitives.WriteInt64LittleEndian(padded[^LengthBytes..], totalBytes * 8);
        var state = this;
        state.Append(padded);

        Span<byte> digest = stackalloc byte[16];
        BinaryPrimitives.WriteUInt32LittleEndian(digest, state.A);
        BinaryPrimitives.WriteUInt32LittleEndian(digest[4..], state.B);
        BinaryPrimitives.WriteUInt32LittleEndian(digest[8..], state.C);
        BinaryPrimitives.WriteUInt32LittleEndian(digest[12..], state.D);
        return BlockHash.FromDigest(digest);
    }

    /// <summary>Adds whole blocks on the caller's thread.</summary>
    public unsafe void Append(ReadOnlySpan<byte> blocks)
    {
        fixed (byte* message = blocks)
        fixed (Md5State* state = &this)
        {
            Md5Kernel<Md5Scalar, uint>.Compress(&message, (uint*)state, blocks.Length / BlockBytes);
        }
    }
}
