using KeepFs.Hosting.Http;
using Microsoft.AspNetCore.Http;

namespace KeepFs.WebDav.Resumable;

/// <summary>
/// A body that may break off: then it simply ends, so that what came before is stored, and <see cref="Broken"/> says why. More bytes than were
/// announced are never read.
/// </summary>
internal sealed class ArrivingBody(Stream source, long bytes, CancellationToken stop) : ForwardStream
{
    private long _left = bytes;

    /// <summary>Why not everything came; null when it did.</summary>
    public Exception? Broken { get; private set; }

    public override bool CanRead => true;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_left == 0 || Broken is not null || buffer.IsEmpty)
        {
            return 0;
        }

        try
        {
            var read = await source.ReadAsync(buffer[..(int)Math.Min(buffer.Length, _left)], stop);
            _left -= read;
            if (read == 0)
            {
                Broken = new WebException(StatusCodes.Status400BadRequest, "The body ended before the part did.");
            }

            return read;
        }
        catch (Exception e)
        {
            // Not swallowed: whoever stores what came throws it then.
            Broken = e;
            return 0;
        }
    }
}
