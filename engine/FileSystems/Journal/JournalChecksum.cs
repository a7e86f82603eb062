using System.Numerics;
using System.Runtime.InteropServices;

namespace KeepFs.Engine.FileSystems.Journal;

/// <summary>CRC-32C, by the processor's instruction where there is one.</summary>
internal static class JournalChecksum
{
    public static uint Compute(ReadOnlySpan<byte> data, uint seed = uint.MaxValue)
    {
        foreach (var word in MemoryMarshal.Cast<byte, ulong>(data))
        {
            seed = BitOperations.Crc32C(seed, word);
        }

        foreach (var value in data[(data.Length & ~7)..])
        {
            seed = BitOperations.Crc32C(seed, value);
        }

        return seed;
    }
}
