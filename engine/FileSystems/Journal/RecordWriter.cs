using System.Buffers.Binary;
using System.Text;
using KeepFs.Engine.Manifests;

namespace KeepFs.Engine.FileSystems.Journal;

/// <summary>
/// Records as bytes, several after each other, to be written at once. Not for concurrent use. Layout of a record, little-endian: length of the
/// payload (4), CRC-32C of everything else (4), sequence number (8), type (1), payload.
/// </summary>
internal sealed class RecordWriter
{
    public const int HeaderBytes = 17;
    private const int KeptBytes = 1 << 20;
    private byte[] _bytes = new byte[64 << 10];
    private int _length;
    private int _start;

    public ReadOnlySpan<byte> Bytes => _bytes.AsSpan(0, _length);

    public int Length => _length;

    public void Clear()
    {
        _length = 0;
        if (_bytes.Length > KeptBytes)
        {
            _bytes = new byte[KeptBytes];
        }
    }

    public RecordWriter Begin(JournalRecordType type, ulong sequence)
    {
        _start = _length;
        var header = Grow(HeaderBytes);
        BinaryPrimitives.WriteUInt64LittleEndian(header[8..], sequence);
        header[16] = (byte)type;
        return this;
    }

    public void End()
    {
        var record = _bytes.AsSpan(_start, _length - _start);
        BinaryPrimitives.WriteUInt32LittleEndian(record, (uint)(record.Length - HeaderBytes));
        BinaryPrimitives.WriteUInt32LittleEndian(record[4..], Checksum(record));
    }

    public static uint Checksum(ReadOnlySpan<byte> record) => JournalChecksum.Compute(record[8..], JournalChecksum.Compute(record[..4]));

    public RecordWriter Number(ulong value)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(Grow(8), value);
        return this;
    }

    public RecordWriter Number(long value) => Number((ulong)value);

    public RecordWriter Small(uint value)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(Grow(4), value);
        return this;
    }

    public RecordWriter Text(string value)
    {
        var length = Encoding.UTF8.GetByteCount(value);
        Small((uint)length);
        Encoding.UTF8.GetBytes(value, Grow(length));
        return this;
    }

    public RecordWriter Raw(ReadOnlySpan<byte> value)
    {
        value.CopyTo(Grow(value.Length));
        return this;
    }

    public RecordWriter Segments(ReadOnlySpan<ManifestSegment> segments)
    {
        Small((uint)segments.Length);
        foreach (var segment in segments)
        {
            Text(segment.Locator.ToString()).Small((uint)segment.Offset).Small((uint)segment.Length);
        }

        return this;
    }

    private Span<byte> Grow(int count)
    {
        if (_length + count > _bytes.Length)
        {
            Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, _length + count));
        }

        _length += count;
        return _bytes.AsSpan(_length - count, count);
    }
}
