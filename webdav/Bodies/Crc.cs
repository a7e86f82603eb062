using System.Buffers.Binary;
using System.Numerics;

namespace KeepFs.WebDav.Bodies;

/// <summary>The cyclic redundancy checks of S3's checksum headers and of ZIP; results are big-endian bytes, as S3 sends them in base64.</summary>
internal abstract class Crc
{
    // Made once: 16 KiB each, and as much work as checking a small file.
    private static readonly ulong[][] Tables32 = Tables(0xEDB88320);
    private static readonly ulong[][] Tables64 = Tables(0x9A6C9329AC4BC9B5);

    public abstract void Append(ReadOnlySpan<byte> data);

    public abstract byte[] Result();

    public static Crc Crc32() => new Reflected(Tables32, sizeof(uint));

    public static Crc Crc32C() => new Hardware32C();

    public static Crc Crc64Nvme() => new Reflected(Tables64, sizeof(ulong));

    private static ulong[][] Tables(ulong polynomial)
    {
        var tables = Enumerable.Range(0, 8).Select(_ => new ulong[256]).ToArray();
        for (ulong i = 0; i < 256; i++)
        {
            var value = i;
            for (var bit = 0; bit < 8; bit++)
            {
                value = (value & 1) != 0 ? (value >> 1) ^ polynomial : value >> 1;
            }

            tables[0][i] = value;
        }

        for (var i = 0; i < 256; i++)
        {
            for (var table = 1; table < 8; table++)
            {
                tables[table][i] = tables[0][(byte)tables[table - 1][i]] ^ (tables[table - 1][i] >> 8);
            }
        }

        return tables;
    }

    private static byte[] BigEndian(ulong value, int size)
    {
        var bytes = new byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, value);
        return bytes[^size..];
    }

    /// <summary>CRC-32C by the processor's instruction where there is one.</summary>
    private sealed class Hardware32C : Crc
    {
        private uint _state = uint.MaxValue;

        public override void Append(ReadOnlySpan<byte> data)
        {
            var state = _state;
            for (; data.Length >= sizeof(ulong); data = data[sizeof(ulong)..])
            {
                state = BitOperations.Crc32C(state, BinaryPrimitives.ReadUInt64LittleEndian(data));
            }

            foreach (var b in data)
            {
                state = BitOperations.Crc32C(state, b);
            }

            _state = state;
        }

        public override byte[] Result() => BigEndian(~_state, sizeof(uint));
    }

    /// <summary>Eight bytes a step by eight tables, for checks of up to 64 bits.</summary>
    private sealed class Reflected(ulong[][] tables, int size) : Crc
    {
        private ulong _state = ulong.MaxValue >> (64 - (8 * size));

        public override void Append(ReadOnlySpan<byte> data)
        {
            var (state, t) = (_state, tables);
            for (; data.Length >= sizeof(ulong); data = data[sizeof(ulong)..])
            {
                var word = BinaryPrimitives.ReadUInt64LittleEndian(data) ^ state;
                state = t[7][(byte)word] ^ t[6][(byte)(word >> 8)] ^ t[5][(byte)(word >> 16)] ^ t[4][(byte)(word >> 24)]
                    ^ t[3][(byte)(word >> 32)] ^ t[2][(byte)(word >> 40)] ^ t[1][(byte)(word >> 48)] ^ t[0][word >> 56];
            }

            foreach (var b in data)
            {
                state = t[0][(byte)(state ^ b)] ^ (state >> 8);
            }

            _state = state;
        }

        public override byte[] Result() => BigEndian(~_state, size);
    }
}
