using System.Diagnostics;
using KeepFs.Engine.Blocks;
using KeepFs.Engine.FileSystems.Journal;
using KeepFs.Engine.Manifests;

namespace KeepFs.Engine.FileSystems;

/// <summary>
/// Bytes that were written and are not stored yet. Filled by appending until sealed; a sealed one never changes, so it can be uploaded while
/// the file goes on. Extents and snapshots that show it are counted, and the memory goes back to the pool with the last of them or
/// when the bytes are stored. Every member is used under the collection's lock.
/// </summary>
internal sealed class MemorySegment
{
    private BlockBuffer? _buffer;
    private int _holders;
    private (SpillFile File, long Offset)? _spilled;
    private List<JournalFile>? _journaled;

    public MemorySegment(BlockBuffer buffer)
    {
        _buffer = buffer;
        buffer.Length = 0;
    }

    public int Length { get; private set; }

    public bool IsSealed { get; private set; }

    /// <summary>Where the bytes are stored, once they are.</summary>
    public ManifestSegment? Stored { get; private set; }

    /// <summary>The file that is made of it.</summary>
    public CollectionFile? File { get; set; }

    /// <summary>The bytes also stand in data files of the journal, which stay until <see cref="ReleaseJournal"/>.</summary>
    public bool IsJournaled => _journaled is not null;

    /// <summary>The upload under way, shared by everybody who waits for it.</summary>
    public Task? Upload { get; set; }

    /// <summary>The bytes take memory.</summary>
    public bool IsInMemory => _buffer is not null;

    /// <summary>Where the bytes are when memory had no room for them.</summary>
    public (SpillFile File, long Offset)? Spilled => _spilled;

    public bool IsFull => Length == Locator.MaxBlockSizeBytes;

    public ReadOnlyMemory<byte> Memory => (_buffer ?? throw new InvalidOperationException("The bytes are stored already, or put aside.")).Capacity[..Length];

    public int RoomWithin(int capacityBytes) => capacityBytes - Length;

    public int CapacityBytes => _buffer?.CapacityBytes ?? 0;

    public void Append(ReadOnlySpan<byte> data)
    {
        Debug.Assert(!IsSealed, "A sealed segment is immutable.");
        data.CopyTo(_buffer!.Capacity.Span[Length..]);
        Length += data.Length;
    }

    public void Overwrite(int offset, ReadOnlySpan<byte> data)
    {
        Debug.Assert(!IsSealed, "A sealed segment is immutable.");
        data.CopyTo(_buffer!.Capacity.Span.Slice(offset, data.Length));
    }

    /// <summary>Moves into a larger buffer.</summary>
    public void GrowInto(BlockBuffer larger)
    {
        _buffer!.Capacity.Span[..Length].CopyTo(larger.Capacity.Span);
        _buffer.Release();
        _buffer = larger;
    }

    /// <summary>The memory with one more reference, which the caller releases.</summary>
    public BlockBuffer Borrow()
    {
        _buffer!.AddReference();
        return _buffer;
    }

    /// <summary>The bytes of a sealed segment are in a file now, and the memory goes back.</summary>
    public void SpillTo(SpillFile file, long offset)
    {
        Debug.Assert(IsSealed && Upload is null, "Somebody may be writing to the memory, or reading from it.");
        file.Hold();
        _spilled = (file, offset);
        ReleaseBuffer();
    }

    public void Seal() => IsSealed = true;

    public void Hold() => _holders++;

    public void Drop()
    {
        if (--_holders == 0)
        {
            ReleaseBuffer();
            ReleaseSpill();
            ReleaseJournal();
        }
    }

    public void SetStored(ManifestSegment stored)
    {
        Stored = stored;
        ReleaseBuffer();
        ReleaseSpill();
    }

    /// <summary>A data file of the journal holds some of the bytes.</summary>
    public void AddJournal(JournalFile data)
    {
        if (_journaled?.Contains(data) is not true)
        {
            data.Hold();
            (_journaled ??= []).Add(data);
        }
    }

    /// <summary>The journal does not need the bytes any more: it says where they are stored, or that nobody can see them.</summary>
    public void ReleaseJournal()
    {
        _journaled?.ForEach(data => data.Drop());
        _journaled = null;
    }

    private void ReleaseBuffer()
    {
        _buffer?.Release();
        _buffer = null;
    }

    private void ReleaseSpill()
    {
        _spilled?.File.Drop();
        _spilled = null;
    }
}
