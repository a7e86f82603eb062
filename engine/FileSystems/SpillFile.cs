using KeepFs.Engine.Blocks;
using Microsoft.Win32.SafeHandles;

namespace KeepFs.Engine.FileSystems;

/// <summary>
/// Unsaved bytes that memory had no room for while keepstores did not take them: a file on the journal's disk that has no name, so that it ends with the process. The
/// journal has the bytes as well; this is only where they are read from. Closed when nobody holds it any more. Safe for concurrent use.
/// </summary>
internal sealed class SpillFile(SafeFileHandle handle)
{
    private int _holders = 1;
    private long _length;

    /// <summary>Writes at the end; one caller at a time. Returns where.</summary>
    /// <exception cref="IOException">The disk does not take it.</exception>
    public long Append(ReadOnlySpan<byte> data)
    {
        var offset = _length;
        RandomAccess.Write(handle, data, offset);
        _length += data.Length;
        return offset;
    }

    /// <summary>Fills the destination; the caller holds the file.</summary>
    /// <exception cref="KeepException">The disk failed.</exception>
    public void Read(Span<byte> destination, long offset)
    {
        try
        {
            while (!destination.IsEmpty)
            {
                var count = RandomAccess.Read(handle, destination, offset);
                if (count <= 0)
                {
                    throw new IOException("it is too short");
                }

                destination = destination[count..];
                offset += count;
            }
        }
        catch (IOException e)
        {
            throw new KeepException(KeepErrorKind.Unavailable, $"Unsaved data that was put aside on the journal's disk cannot be read back ({e.Message}); the journal has it, too, and the next mount replays it.", e);
        }
    }

    public void Hold() => Interlocked.Increment(ref _holders);

    public void Drop()
    {
        if (Interlocked.Decrement(ref _holders) == 0)
        {
            handle.Dispose();
        }
    }
}
