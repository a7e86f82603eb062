namespace KeepFs.Engine.FileSystems.Journal;

/// <summary>A record whose checksum was right. The memory is valid until the next one is read.</summary>
/// <param name="Type">What it says.</param>
/// <param name="Sequence">Its place in the chain.</param>
/// <param name="File">Number of the file that holds it.</param>
/// <param name="Payload">Its fields.</param>
/// <param name="Data">
/// The bytes of a <see cref="JournalRecordType.Write"/> or <see cref="JournalRecordType.WriteBulk"/>; null when their data file is gone, as it is once
/// later records say where the bytes are stored.
/// </param>
internal readonly record struct JournalRecord(JournalRecordType Type, ulong Sequence, int File, ReadOnlyMemory<byte> Payload, ReadOnlyMemory<byte>? Data);
