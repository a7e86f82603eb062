using System.Buffers.Binary;
using System.Security.Cryptography;
using KeepFs.Engine.Manifests;

namespace KeepFs.Engine.FileSystems.Journal;

/// <summary>
/// Names the content of a file by where its bytes are stored: equal only for the same ranges of the same blocks, however they are cut; signatures do
/// not count. The default value stands for "not known".
/// </summary>
internal readonly record struct ContentFingerprint(ulong High, ulong Low)
{
    public const int Bytes = 16;
    private const int EntryBytes = 24;

    public bool IsKnown => this != default;

    public static ContentFingerprint Of(ManifestFile file) => Of(file.Segments);

    public static ContentFingerprint Of(ReadOnlySpan<ManifestSegment> segments)
    {
        var merged = StoredRanges.Merge(segments);
        var bytes = new byte[merged.Count * EntryBytes];
        for (var i = 0; i < merged.Count; i++)
        {
            var entry = bytes.AsSpan(i * EntryBytes, EntryBytes);
            merged[i].Locator.Hash.CopyTo(entry);
            BinaryPrimitives.WriteInt32LittleEndian(entry[16..], merged[i].Offset);
            BinaryPrimitives.WriteInt32LittleEndian(entry[20..], merged[i].Length);
        }

        return Read(SHA256.HashData(bytes));
    }

    public static ContentFingerprint Read(ReadOnlySpan<byte> bytes) =>
        new(BinaryPrimitives.ReadUInt64LittleEndian(bytes), BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..]));

    public void Write(RecordWriter writer) => writer.Number(High).Number(Low);
}
