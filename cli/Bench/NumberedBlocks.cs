using System.Buffers.Binary;
using System.Security.Cryptography;
using KeepFs.Engine.Blocks;
using KeepFs.Engine.Blocks.Hashing;

namespace KeepFs.Cli.Bench;

/// <summary>A block that differs from others only in its tail.</summary>
internal sealed record NumberedBlock(BlockHash Hash, ReadOnlyMemory<byte> Body, ReadOnlyMemory<byte> Tail)
{
    public long SizeBytes => Body.Length + Tail.Length;
}

/// <summary>Any number of different blocks of one size in the memory of a few, hashed before the clock runs.</summary>
internal static class NumberedBlocks
{
    private const int TailBytes = 16;
    private const long ScratchBytes = 256L << 20;

    public static async Task<IReadOnlyList<NumberedBlock>> MakeAsync(int sizeBytes, int count, HashService hashing)
    {
        var body = new byte[sizeBytes];
        RandomNumberGenerator.Fill(body);
        var lanes = (int)Math.Clamp(ScratchBytes / sizeBytes, 1, 16);
        var copies = Enumerable.Range(0, lanes).Select(_ => body.ToArray()).ToArray();
        var blocks = new NumberedBlock[count];
        for (var first = 0; first < count; first += lanes)
        {
            var jobs = Enumerable.Range(first, Math.Min(lanes, count - first)).Select(async number =>
            {
                var copy = copies[number - first];
                BinaryPrimitives.WriteInt64LittleEndian(copy.AsSpan(sizeBytes - TailBytes), number);
                var hash = await HashJob.ComputeAsync(copy, hashing);
                blocks[number] = new NumberedBlock(hash, body.AsMemory(0, sizeBytes - TailBytes), copy.AsSpan(sizeBytes - TailBytes).ToArray());
            });
            await Task.WhenAll(jobs);
        }

        return blocks;
    }
}
