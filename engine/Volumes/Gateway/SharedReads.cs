using System.Diagnostics;
using KeepFs.Engine.Blocks;

namespace KeepFs.Engine.Volumes.Gateway;

/// <summary>
/// Lets requests for the same block share one remote read: the first does it into its own memory, the others get copies before it returns.
/// Whoever stops waiting is not written to any more. When the first gives up, one of the others takes over.
/// </summary>
internal sealed class SharedReads
{
    private readonly Lock _lock = new();
    private readonly Dictionary<(BlockHash, int), Flight> _flights = [];

    /// <param name="key">Block and size hint.</param>
    /// <param name="destination">The caller's memory.</param>
    /// <param name="read">Fills memory and returns the block's size, or null; a larger block is only measured.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async ValueTask<long?> ReadAsync(
        (BlockHash Hash, int SizeHint) key, Memory<byte> destination, Func<Memory<byte>, CancellationToken, ValueTask<long?>> read, CancellationToken cancellationToken)
    {
        while (true)
        {
            Flight flight;
            Follower? follower = null;
            lock (_lock)
            {
                if (_flights.TryGetValue(key, out var running))
                {
                    flight = running;
                    flight.Followers.Add(follower = new Follower(destination));
                }
                else
                {
                    _flights[key] = flight = new Flight();
                }
            }

            if (follower is null)
            {
                return await LeadAsync(key, flight, destination, read, cancellationToken);
            }

            if (await FollowAsync(follower, cancellationToken) is (true, var size))
            {
                return size;
            }
        }
    }

    private async ValueTask<long?> LeadAsync(
        (BlockHash, int) key, Flight flight, Memory<byte> destination, Func<Memory<byte>, CancellationToken, ValueTask<long?>> read, CancellationToken cancellationToken)
    {
        try
        {
            var size = await read(destination, cancellationToken);
            var isRead = size <= destination.Length;
            foreach (var follower in Land(key, flight))
            {
                follower.Finish(size, isRead ? destination[..(int)size!.Value] : default, isRead);
            }

            return size;
        }
        catch (Exception e)
        {
            foreach (var follower in Land(key, flight))
            {
                if (e is OperationCanceledException)
                {
                    follower.Source.TrySetResult((false, null));
                }
                else
                {
                    follower.Source.TrySetException(e);
                }
            }

            throw;
        }
    }

    private static async ValueTask<(bool IsDone, long? Size)> FollowAsync(Follower follower, CancellationToken cancellationToken)
    {
        await using (cancellationToken.UnsafeRegister(static (state, token) => ((Follower)state!).Cancel(token), follower))
        {
            return await follower.Source.Task;
        }
    }

    /// <summary>Nobody joins after this.</summary>
    private List<Follower> Land((BlockHash, int) key, Flight flight)
    {
        lock (_lock)
        {
            var isOurs = _flights.Remove(key, out var removed) && removed == flight;
            Debug.Assert(isOurs, "Two reads of one block were under way.");
            return flight.Followers;
        }
    }

    private sealed class Flight
    {
        public List<Follower> Followers { get; } = [];
    }

    private sealed class Follower(Memory<byte> destination)
    {
        private readonly Lock _copying = new();

        public TaskCompletionSource<(bool IsDone, long? Size)> Source { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void Finish(long? size, ReadOnlyMemory<byte> block, bool isRead)
        {
            lock (_copying)
            {
                if (Source.Task.IsCompleted)
                {
                    return;
                }

                if (isRead && block.Length <= destination.Length)
                {
                    block.Span.CopyTo(destination.Span);
                }

                // Too little room for the one who read is enough for this one, perhaps: it must look for itself.
                Source.SetResult((isRead || size is null || size > destination.Length, size));
            }
        }

        public void Cancel(CancellationToken token)
        {
            lock (_copying)
            {
                Source.TrySetCanceled(token);
            }
        }
    }
}
