using KeepFs.Engine.FileSystems;
using KeepFs.Fuse.Inodes;
using KeepFs.Fuse.Interop;

namespace KeepFs.Fuse.Session;

/// <summary>
/// Tells the kernel what changed behind its back. On a thread of its own and never on one that answers requests: telling takes locks that
/// the kernel holds while it waits for an answer. Announcements wait in a bounded queue without duplicates; when it overflows, everything
/// that the kernel knows is invalidated instead, so that no change is ever lost.
/// </summary>
internal sealed class KernelNotifier(InodeTable inodes, int maxPending, Action<string> log)
{
    // A node that is being told to the kernel right now is not known to it yet: asked again this often, for about a second.
    private const int MaxTries = 50;
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(20);

    private readonly object _lock = new();
    private readonly Queue<Item> _queue = new();
    private readonly HashSet<Item> _queued = [];
    private readonly List<Item> _retries = [];
    private Thread? _thread;
    private bool _isAllPending;
    private bool _isStopping;

    /// <summary>Takes an announcement; never waits for anything but a short lock.</summary>
    public void Changed(NodeChange change)
    {
        var nodeId = inodes.NodeIdOf(change.Node);
        inodes.Changed(nodeId);
        Enqueue(new Item(nodeId, change.EntryName, 0));
    }

    /// <summary>Makes the kernel ask again for attributes and data.</summary>
    public void InvalidateNode(ulong nodeId) => Enqueue(new Item(nodeId, null, 0));

    public void Start(FuseSession session)
    {
        _thread = new Thread(() => Run(session)) { IsBackground = true, Name = "fuse notify" };
        _thread.Start();
    }

    /// <summary>Ends the thread; false if it is stuck in the kernel, and then the session must not be destroyed.</summary>
    public bool Stop(TimeSpan timeout)
    {
        lock (_lock)
        {
            _isStopping = true;
            Monitor.PulseAll(_lock);
        }

        return _thread?.Join(timeout) ?? true;
    }

    private void Enqueue(Item item)
    {
        lock (_lock)
        {
            if (_isAllPending || _isStopping)
            {
                return;
            }

            if (_queue.Count >= maxPending)
            {
                _isAllPending = true;
                _queue.Clear();
                _queued.Clear();
                _retries.Clear();
            }
            else if (_queued.Add(item))
            {
                _queue.Enqueue(item);
            }

            Monitor.PulseAll(_lock);
        }
    }

    private void Run(FuseSession session)
    {
        while (true)
        {
            Item? next = null;
            lock (_lock)
            {
                while (!_isStopping && !_isAllPending && _queue.Count == 0)
                {
                    if (_retries.Count == 0)
                    {
                        Monitor.Wait(_lock);
                    }
                    else if (!Monitor.Wait(_lock, RetryDelay))
                    {
                        _retries.ForEach(_queue.Enqueue);
                        _retries.Clear();
                    }
                }

                if (_isStopping)
                {
                    return;
                }

                if (_isAllPending)
                {
                    _isAllPending = false;
                }
                else
                {
                    next = _queue.Dequeue();

                    // From here on the same announcement is a new one.
                    _queued.Remove(next.Value);
                }
            }

            if (next is { } item)
            {
                Tell(session, item);
            }
            else
            {
                TellAll(session);
            }
        }
    }

    private void Tell(FuseSession session, Item item)
    {
        if (!inodes.TryGet(item.NodeId, out _))
        {
            // The kernel knows nothing of it.
            return;
        }

        if (item.Name is { } name)
        {
            // ENOENT when the kernel has no such name: nothing to do.
            _ = Notifications.InvalidateEntry(session.Device, item.NodeId, name);
        }

        // For a directory this drops the kept listing, which a name that the kernel never asked for does not.
        var result = Notifications.InvalidateInode(session.Device, item.NodeId);
        if (result == Errno.ENOENT && item.Tries < MaxTries)
        {
            lock (_lock)
            {
                _retries.Add(item with { Tries = item.Tries + 1 });
            }
        }
        else if (result is not (Errno.Ok or Errno.ENOENT or Errno.ENOTCONN or Errno.ENODEV or Errno.EPERM))
        {
            log($"fuse: invalidating node {item.NodeId}: errno {result}; it may be seen unchanged for a while");
        }
    }

    private void TellAll(FuseSession session)
    {
        var all = inodes.Snapshot();
        log($"fuse: more than {maxPending} changes at once: the kernel's cache of {all.Count} nodes is dropped");
        foreach (var (nodeId, parent, name) in all)
        {
            lock (_lock)
            {
                if (_isStopping)
                {
                    return;
                }
            }

            inodes.Changed(nodeId);
            if (name.Length > 0)
            {
                _ = Notifications.InvalidateEntry(session.Device, parent, name);
            }

            Tell(session, new Item(nodeId, null, 0));
        }
    }

    private readonly record struct Item(ulong NodeId, string? Name, int Tries);
}
