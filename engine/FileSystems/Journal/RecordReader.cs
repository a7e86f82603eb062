using System.Buffers.Binary;
using System.Text;
using KeepFs.Engine.Blocks;
using KeepFs.Engine.Manifests;

namespace KeepFs.Engine.FileSystems.Journal;

/// <summary>The payload of a record, field by field.</summary>
/// <remarks>A payload whose checksum was right but whose fields do not fit is <see cref="InvalidDataException"/>: another version's record.</remarks>
internal ref struct RecordReader(ReadOnlySpan<byte> payload)
{
    private ReadOnlySpan<byte> _rest = payload;

    public readonly ReadOnlySpan<byte> Rest => _rest;

    public ulong Number() => BinaryPrimitives.ReadUInt64LittleEndian(Take(8));

    public long Size() => Number() is var value and <= long.MaxValue ? (long)value : throw new InvalidDataException("A size in the journal is negative.");

    public uint Small() => BinaryPrimitives.ReadUInt32LittleEndian(Take(4));

    public string Text() => Encoding.UTF8.GetString(Take(Small()));

    public ContentFingerprint Fingerprint() => ContentFingerprint.Read(Take(ContentFingerprint.Bytes));

    public ManifestSegment[] Segments()
    {
        // The count is not believed before that many could be there.
        var count = Small();
        var segments = new List<ManifestSegment>((int)Math.Min(count, (uint)_rest.Length / 12));
        for (uint i = 0; i < count; i++)
        {
            var text = Text();
            if (!Locator.TryParse(text, out var locator))
            {
                throw new InvalidDataException("A locator in the journal cannot be read.");
            }

            var (offset, length) = (Small(), Small());
            if (length is 0 or > Locator.MaxBlockSizeBytes || offset > Locator.MaxBlockSizeBytes)
            {
                throw new InvalidDataException("A segment in the journal is impossible.");
            }

            segments.Add(new ManifestSegment(locator, (int)offset, (int)length));
        }

        return [.. segments];
    }

    private ReadOnlySpan<byte> Take(uint count)
    {
        if (count > (uint)_rest.Length)
        {
            throw new InvalidDataException("A record in the journal is shorter than its fields.");
        }

        var taken = _rest[..(int)count];
        _rest = _rest[(int)count..];
        return taken;
    }
}
