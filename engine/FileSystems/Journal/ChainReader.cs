using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;

namespace KeepFs.Engine.FileSystems.Journal;

/// <summary>
/// Reads the records of one chain in order, as often as asked. Whatever is on the disk, it ends without an exception at the first record that is not
/// whole, and <see cref="Damage"/> says what was left out; only a disk that cannot be read throws.
/// </summary>
internal sealed class ChainReader(string folder)
{
    private const int BufferBytes = 1 << 20;

    /// <summary>
    /// After a complete pass: what could not be used, or null. A record at the very end that is not whole does not count when nothing but zeros, or
    /// less than it says, follows: that is how a write that was never answered looks.
    /// </summary>
    public string? Damage { get; private set; }

    /// <summary>Bytes after the last whole record; they were never answered, or <see cref="Damage"/> tells of them.</summary>
    public long DroppedBytes { get; private set; }

    public IEnumerable<JournalRecord> Read()
    {
        (Damage, DroppedBytes) = (null, 0);
        var files = ChainFiles.Numbers(folder, ".log");
        ulong? expected = null;
        for (var i = 0; i < files.Count; i++)
        {
            using var log = File.OpenHandle(ChainFiles.Log(folder, files[i]), share: FileShare.ReadWrite | FileShare.Delete);
            var length = RandomAccess.GetLength(log);
            var buffer = new ReadAhead(log, length);
            long position = ChainFiles.Magic.Length;
            if (!buffer.Get(0, (int)position).Span.SequenceEqual(ChainFiles.Magic))
            {
                position = 0;
            }

            while (position > 0 && Next(buffer, position, length, expected, files[i]) is { } record)
            {
                expected = record.Sequence + 1;
                position += RecordWriter.HeaderBytes + record.Payload.Length;
                yield return record;
            }

            if (position < length)
            {
                DroppedBytes += length - position;
                var goesOn = i + 1 < files.Count && FirstSequence(files[i + 1]) == expected;
                if (!goesOn)
                {
                    DescribeDamage(buffer, position, length, files, i);
                    yield break;
                }
            }
            else if (i + 1 < files.Count && FirstSequence(files[i + 1]) is { } next && next != expected)
            {
                DescribeDamage(buffer, position, length, files, i);
                yield break;
            }
        }
    }

    private void DescribeDamage(ReadAhead buffer, long position, long length, List<int> files, int at)
    {
        var following = files.Skip(at + 1).Sum(number => new FileInfo(ChainFiles.Log(folder, number)).Length);
        DroppedBytes += following;
        if (following > 0 || !LooksUnfinished(buffer, position, length))
        {
            Damage = $"{ChainFiles.Log(folder, files[at])} cannot be read from byte {position} of {length} on; {length - position + following} bytes of the journal were not used";
        }
    }

    private static bool LooksUnfinished(ReadAhead buffer, long position, long length)
    {
        if (length - position < RecordWriter.HeaderBytes)
        {
            return true;
        }

        var header = buffer.Get(position, RecordWriter.HeaderBytes).Span;
        if (position + RecordWriter.HeaderBytes + BinaryPrimitives.ReadUInt32LittleEndian(header) > length)
        {
            return true;
        }

        for (var at = position; at < length; at += BufferBytes)
        {
            if (buffer.Get(at, (int)Math.Min(BufferBytes, length - at)).Span.ContainsAnyExcept((byte)0))
            {
                return false;
            }
        }

        return true;
    }

    private JournalRecord? Next(ReadAhead buffer, long position, long length, ulong? expected, int file)
    {
        if (length - position < RecordWriter.HeaderBytes)
        {
            return null;
        }

        var header = buffer.Get(position, RecordWriter.HeaderBytes).Span;
        var size = BinaryPrimitives.ReadUInt32LittleEndian(header);
        var checksum = BinaryPrimitives.ReadUInt32LittleEndian(header[4..]);
        var sequence = BinaryPrimitives.ReadUInt64LittleEndian(header[8..]);
        var type = (JournalRecordType)header[16];
        if (size > length - position - RecordWriter.HeaderBytes || size > int.MaxValue - RecordWriter.HeaderBytes || (expected is { } wanted && sequence != wanted))
        {
            return null;
        }

        var record = buffer.Get(position, RecordWriter.HeaderBytes + (int)size);
        if (record.Length != RecordWriter.HeaderBytes + (int)size || RecordWriter.Checksum(record.Span) != checksum)
        {
            return null;
        }

        var payload = record[RecordWriter.HeaderBytes..];
        return type switch
        {
            JournalRecordType.Write when payload.Length >= 16 => new JournalRecord(type, sequence, file, payload, payload[16..]),
            JournalRecordType.WriteBulk => ReadBulk(new JournalRecord(type, sequence, file, payload, null)),
            _ => new JournalRecord(type, sequence, file, payload, null),
        };
    }

    /// <summary>Null when the data is there but not what was written: then the log is ahead of what had reached the disk.</summary>
    private JournalRecord? ReadBulk(JournalRecord record)
    {
        if (record.Payload.Length != BulkPlace.RecordBytes)
        {
            return null;
        }

        var place = BulkPlace.Read(record.Payload.Span);
        var path = ChainFiles.Data(folder, place.File);
        if (!File.Exists(path))
        {
            return record;
        }

        using var data = File.OpenHandle(path, share: FileShare.ReadWrite | FileShare.Delete);
        if (place.Length < 0 || place.Position < 0 || place.Position > RandomAccess.GetLength(data) - place.Length)
        {
            return null;
        }

        var bytes = new byte[place.Length];
        ReadAll(data, bytes, place.Position);
        return JournalChecksum.Compute(bytes) == place.Checksum ? record with { Data = bytes } : null;
    }

    private ulong? FirstSequence(int number)
    {
        using var log = File.OpenHandle(ChainFiles.Log(folder, number), share: FileShare.ReadWrite | FileShare.Delete);
        var header = new byte[RecordWriter.HeaderBytes];
        return ReadAll(log, header, ChainFiles.Magic.Length) == header.Length ? BinaryPrimitives.ReadUInt64LittleEndian(header.AsSpan(8)) : null;
    }

    private static int ReadAll(SafeFileHandle file, Span<byte> destination, long position)
    {
        var filled = 0;
        while (filled < destination.Length)
        {
            var read = RandomAccess.Read(file, destination[filled..], position + filled);
            if (read == 0)
            {
                break;
            }

            filled += read;
        }

        return filled;
    }

    /// <summary>A window on the file; what it hands out is valid until the next call.</summary>
    private sealed class ReadAhead(SafeFileHandle file, long length)
    {
        private byte[] _buffer = new byte[(int)Math.Min(BufferBytes, Math.Max(length, 1))];
        private long _start;
        private int _filled;

        public ReadOnlyMemory<byte> Get(long position, int count)
        {
            if (position < _start || position + count > _start + _filled)
            {
                if (count > _buffer.Length)
                {
                    _buffer = new byte[count];
                }

                _start = position;
                _filled = ReadAll(file, _buffer, position);
            }

            var skip = (int)(position - _start);
            return _buffer.AsMemory(skip, Math.Min(count, _filled - skip));
        }
    }
}
