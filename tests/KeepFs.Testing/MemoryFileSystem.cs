using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using KeepFs.Engine.FileSystems;

namespace KeepFs.Testing;

/// <summary>
/// A file system in memory that does what the seam documents and nothing else: the reference that <see cref="FileSystemContract"/> is
/// checked against, and what fronts are tested with. One lock around the whole tree; nothing waits but <see cref="Before"/>.
/// </summary>
public sealed partial class MemoryFileSystem : IFileSystem
{
    private readonly Lock _lock = new();
    private readonly ConcurrentDictionary<string, int> _calls = new();
    private readonly TimeProvider _time;
    private ulong _lastId;

    /// <summary>Creates an empty tree.</summary>
    public MemoryFileSystem(TimeProvider time)
    {
        _time = time;
        Root = new MemoryDirectory(this);
    }

    /// <inheritdoc/>
    public event Action<NodeChange>? Changed;

    /// <inheritdoc/>
    public IDirectoryNode Root { get; }

    /// <summary>What the nodes say of <see cref="NodeAttributes.IsCacheable"/>.</summary>
    public bool IsCacheable { get; init; } = true;

    /// <summary>Listings do not tell ids, like those of a tree that makes nodes when they are asked for.</summary>
    public bool HidesIds { get; init; }

    /// <summary>Files cannot be written through a front, and handles opened for reading offer a local file with the bytes.</summary>
    public bool OffersBacking { get; init; }

    /// <summary>Extended attributes of every node.</summary>
    public IReadOnlyDictionary<string, string> ExtendedAttributes { get; init; } = new Dictionary<string, string>();

    /// <summary>Awaited before each call of a node or handle, with the name of the member: tests delay, block or fail here.</summary>
    public Func<string, CancellationToken, ValueTask>? Before { get; set; }

    /// <summary>Handles that are open now; zero at the end of each test.</summary>
    public int OpenHandles { get; private set; }

    /// <summary>Calls of <see cref="INode.SyncAsync"/> so far.</summary>
    public int Syncs { get; private set; }

    /// <summary>Says that something changed behind a front's back; tests call it after they changed it directly.</summary>
    public void Announce(NodeChange change) => Changed?.Invoke(change);

    /// <summary>How often a member of a node or handle was called so far.</summary>
    public int CallsOf(string member) => _calls.GetValueOrDefault(member);

    /// <inheritdoc/>
    public ValueTask<FileSystemTotals> GetTotalsAsync(CancellationToken cancellationToken) => new(new FileSystemTotals(1L << 40, 1L << 39));

    /// <inheritdoc/>
    public ValueTask SyncAllAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private ValueTask BeforeAsync(CancellationToken cancellationToken, [CallerMemberName] string member = "")
    {
        _calls.AddOrUpdate(member, 1, static (_, count) => count + 1);
        return Before?.Invoke(member, cancellationToken) ?? ValueTask.CompletedTask;
    }
}
