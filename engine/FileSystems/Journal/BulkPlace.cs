using System.Buffers.Binary;

namespace KeepFs.Engine.FileSystems.Journal;

/// <summary>A record of bytes in a data file.</summary>
/// <param name="Id">The file of the collection.</param>
/// <param name="Offset">Where the bytes go in it.</param>
/// <param name="Length">How many.</param>
/// <param name="File">Number of the data file.</param>
/// <param name="Position">First byte in the data file.</param>
/// <param name="Checksum">CRC-32C of the bytes.</param>
internal readonly record struct BulkPlace(ulong Id, long Offset, int Length, int File, long Position, uint Checksum)
{
    public const int RecordBytes = 36;

    public static BulkPlace Read(ReadOnlySpan<byte> payload) => new(
        BinaryPrimitives.ReadUInt64LittleEndian(payload),
        BinaryPrimitives.ReadInt64LittleEndian(payload[8..]),
        BinaryPrimitives.ReadInt32LittleEndian(payload[16..]),
        BinaryPrimitives.ReadInt32LittleEndian(payload[20..]),
        BinaryPrimitives.ReadInt64LittleEndian(payload[24..]),
        BinaryPrimitives.ReadUInt32LittleEndian(payload[32..]));

    public void Write(RecordWriter writer) =>
        writer.Number(Id).Number(Offset).Small((uint)Length).Small((uint)File).Number(Position).Small(Checksum);
}
