using System.Runtime.InteropServices;

namespace KeepFs.Hosting.Transport;

/// <summary>
/// Tells a slow peer from one that takes nothing. The kernel holds megabytes for a peer and says that there is room only when much of it has gone, so what counts
/// is what the peer has acknowledged. Looked at now and then by one thread.
/// </summary>
internal sealed class SendStall
{
    private volatile bool _isWaiting;
    private int _waits;
    private (int Waits, int Queued) _seen;
    private long? _since;

    /// <summary>The sender waits for room.</summary>
    public bool IsWaiting
    {
        set
        {
            if (value)
            {
                // Whatever went out before this wait is news.
                Interlocked.Increment(ref _waits);
            }

            _isWaiting = value;
        }
    }

    /// <summary>The sender has been waiting all the time, and the peer has acknowledged nothing, for as long as that.</summary>
    public unsafe bool HasLasted(SafeHandle socket, TimeProvider time, TimeSpan patience)
    {
        var waits = Volatile.Read(ref _waits);
        int queued;
        if (!_isWaiting || IsGone(out queued))
        {
            _since = null;
            return false;
        }

        if (_since is null || _seen != (waits, queued))
        {
            (_since, _seen) = (time.GetTimestamp(), (waits, queued));
            return false;
        }

        return time.GetElapsedTime(_since.Value) >= patience;

        bool IsGone(out int bytes)
        {
            int answer;
            try
            {
                var failed = SocketCalls.Ask(socket, SocketCalls.OutputQueue, &answer) != 0;
                bytes = answer;
                return failed;
            }
            catch (ObjectDisposedException)
            {
                bytes = 0;
                return true;
            }
        }
    }
}
