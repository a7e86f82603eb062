using System.Buffers.Binary;

namespace KeepFs.WebDav.Downloads.Zip;

/// <summary>
/// The records of an archive (PKWARE APPNOTE 4.3): stored entries whose CRC follows the data (bit 3), names in UTF-8 (bit 11), Zip64 where 32 bits do not do.
/// Every length depends on names and sizes only, so that the whole length is known before the first byte.
/// </summary>
/// <param name="modifiedAt">Time of all entries; before 1980 there is none.</param>
internal sealed class ZipFormat(DateTimeOffset modifiedAt)
{
    private const ushort Flags = 1 << 3 | 1 << 11;
    private const ushort Version = 20;
    private const ushort LargeVersion = 45;
    private const ushort MadeByUnix = 3 << 8;
    private const uint RegularFile = 0x81A4u << 16;
    private const ushort Zip64Tag = 1;
    private const ushort TimeTag = 0x5455;
    private const int TimeBytes = 9;
    private readonly uint _dosTime = DosTime(modifiedAt.UtcDateTime);

    /// <summary>Unix time, where it has a place in 31 bits.</summary>
    private readonly uint? _unixTime = modifiedAt.ToUnixTimeSeconds() is > 0 and <= int.MaxValue and var seconds ? (uint)seconds : null;

    private int CommonBytes => _unixTime is null ? 0 : TimeBytes;

    /// <summary>Bytes of the whole archive.</summary>
    public long LengthOf(IReadOnlyList<ZipEntry> entries, byte[] comment)
    {
        long offset = 0, directory = 0;
        foreach (var entry in entries)
        {
            directory += DirectoryBytes(entry, offset);
            offset += LocalBytes(entry) + entry.SizeBytes + DescriptorBytes(entry);
        }

        return offset + directory + End(entries.Count, offset, directory, comment).Length;
    }

    /// <summary>Stands before the data.</summary>
    public byte[] Local(ZipEntry entry)
    {
        var record = new Record(LocalBytes(entry));
        record.U32(0x04034b50).U16(entry.IsLarge ? LargeVersion : Version).U16(Flags).U16(0).U32(_dosTime).U32(0);

        // Sizes come behind the data too; with Zip64 the extra field says that they have eight bytes there.
        var size = entry.IsLarge ? uint.MaxValue : 0;
        record.U32(size).U32(size).U16((ushort)entry.Name.Length).U16((ushort)(CommonBytes + (entry.IsLarge ? 20 : 0))).Bytes(entry.Name);
        if (entry.IsLarge)
        {
            record.U16(Zip64Tag).U16(16).U64(0).U64(0);
        }

        return AddTime(record).Done();
    }

    /// <summary>Stands behind the data.</summary>
    public static byte[] Descriptor(ZipEntry entry, uint crc)
    {
        var record = new Record(DescriptorBytes(entry)).U32(0x08074b50).U32(crc);
        return (entry.IsLarge ? record.U64((ulong)entry.SizeBytes).U64((ulong)entry.SizeBytes) : record.U32((uint)entry.SizeBytes).U32((uint)entry.SizeBytes)).Done();
    }

    /// <summary>The entry in the directory at the end.</summary>
    public byte[] Directory(ZipEntry entry, uint crc, long offset)
    {
        var isFar = offset >= uint.MaxValue;
        var record = new Record(DirectoryBytes(entry, offset));
        var size = entry.IsLarge ? uint.MaxValue : (uint)entry.SizeBytes;
        var version = entry.IsLarge || isFar ? LargeVersion : Version;
        record.U32(0x02014b50).U16((ushort)(MadeByUnix | version)).U16(version).U16(Flags).U16(0).U32(_dosTime).U32(crc).U32(size).U32(size)
            .U16((ushort)entry.Name.Length).U16((ushort)(CommonBytes + Zip64Bytes(entry, isFar))).U16(0).U16(0).U16(0).U32(RegularFile)
            .U32(isFar ? uint.MaxValue : (uint)offset).Bytes(entry.Name);
        if (Zip64Bytes(entry, isFar) is > 0 and var extra)
        {
            record.U16(Zip64Tag).U16((ushort)(extra - 4));
            if (entry.IsLarge)
            {
                record.U64((ulong)entry.SizeBytes).U64((ulong)entry.SizeBytes);
            }

            if (isFar)
            {
                record.U64((ulong)offset);
            }
        }

        return AddTime(record).Done();
    }

    /// <summary>Stands at the end of everything.</summary>
    /// <param name="count">Entries.</param>
    /// <param name="offset">Where the directory starts.</param>
    /// <param name="length">Its bytes.</param>
    /// <param name="comment">At most 65,535 bytes.</param>
    public static byte[] End(int count, long offset, long length, byte[] comment)
    {
        var isLarge = count >= ushort.MaxValue || offset >= uint.MaxValue || length >= uint.MaxValue;
        var record = new Record((isLarge ? 76 : 0) + 22 + comment.Length);
        if (isLarge)
        {
            record.U32(0x06064b50).U64(44).U16(MadeByUnix | LargeVersion).U16(LargeVersion).U32(0).U32(0).U64((ulong)count).U64((ulong)count).U64((ulong)length).U64((ulong)offset)
                .U32(0x07064b50).U32(0).U64((ulong)(offset + length)).U32(1);
        }

        var shortCount = (ushort)Math.Min(count, ushort.MaxValue);
        return record.U32(0x06054b50).U16(0).U16(0).U16(shortCount).U16(shortCount).U32((uint)Math.Min(length, uint.MaxValue)).U32((uint)Math.Min(offset, uint.MaxValue))
            .U16((ushort)comment.Length).Bytes(comment).Done();
    }

    private int LocalBytes(ZipEntry entry) => 30 + entry.Name.Length + CommonBytes + (entry.IsLarge ? 20 : 0);

    private static int DescriptorBytes(ZipEntry entry) => entry.IsLarge ? 24 : 16;

    private int DirectoryBytes(ZipEntry entry, long offset) => 46 + entry.Name.Length + CommonBytes + Zip64Bytes(entry, offset >= uint.MaxValue);

    private static int Zip64Bytes(ZipEntry entry, bool isFar) => entry.IsLarge || isFar ? 4 + (entry.IsLarge ? 16 : 0) + (isFar ? 8 : 0) : 0;

    private Record AddTime(Record record) => _unixTime is { } time ? record.U16(TimeTag).U16(5).U8(1).U32(time) : record;

    private static uint DosTime(DateTime time) => time.Year is < 1980 or > 2107 ? 1 << 21 | 1 << 16
        : (uint)((time.Year - 1980) << 25 | time.Month << 21 | time.Day << 16 | time.Hour << 11 | time.Minute << 5 | time.Second / 2);

    /// <summary>Fills a record of known length, little-endian.</summary>
    private sealed class Record(int length)
    {
        private readonly byte[] _bytes = new byte[length];
        private int _used;

        public Record U8(byte value)
        {
            _bytes[_used++] = value;
            return this;
        }

        public Record U16(ushort value)
        {
            BinaryPrimitives.WriteUInt16LittleEndian(_bytes.AsSpan(_used), value);
            _used += sizeof(ushort);
            return this;
        }

        public Record U32(uint value)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(_bytes.AsSpan(_used), value);
            _used += sizeof(uint);
            return this;
        }

        public Record U64(ulong value)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(_bytes.AsSpan(_used), value);
            _used += sizeof(ulong);
            return this;
        }

        public Record Bytes(byte[] value)
        {
            value.CopyTo(_bytes, _used);
            _used += value.Length;
            return this;
        }

        public byte[] Done() => _used == _bytes.Length ? _bytes : throw new InvalidOperationException("A record of an archive has another length than was said.");
    }
}
