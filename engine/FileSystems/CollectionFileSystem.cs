using KeepFs.Engine.Catalog;
using KeepFs.Engine.Manifests;

namespace KeepFs.Engine.FileSystems;

/// <summary>
/// One collection as a tree that can be read and written. Data goes to memory, then to keepstores (flush); names and places go to the catalogue
/// (save) as path changes against the version that was read, so that disjoint changes by others merge and the same path changed on both sides
/// keeps both (spec decision 6). Safe for concurrent use; one lock guards the tree and is never held over I/O.
/// </summary>
public sealed partial class CollectionFileSystem : IAsyncDisposable
{
    private readonly SemaphoreSlim _saving = new(1, 1);
    private readonly SemaphoreSlim _uploads;
    private readonly CancellationTokenSource _closing = new();
    private readonly Action<NodeChange> _changed;
    private ManifestTree _base;
    private string _basePortableDataHash;

    private CollectionFileSystem(CollectionServices services, Collection record, bool isWritable, Action<NodeChange> changed)
    {
        Services = services;
        Uuid = record.Uuid;
        IsWritable = isWritable;
        ModifiedAt = record.ModifiedAt ?? services.Time.GetUtcNow();
        _changed = changed;
        _uploads = new SemaphoreSlim(services.Options.MaxUploads, services.Options.MaxUploads);
        _saveTimer = services.Time.CreateTimer(static state => ((CollectionFileSystem)state!).SaveInBackground(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _base = Parse(record);
        _basePortableDataHash = record.PortableDataHash;
        _signedAt = services.Time.GetTimestamp();
        RootNode = new CollectionDirectory(this, null, "", _base.Root) { IsSavedHere = true };
        services.Open.Add(this);
    }

    /// <summary>The root directory.</summary>
    public IDirectoryNode Root => RootNode;

    /// <summary>UUID, or the portable data hash when it was opened by that.</summary>
    public string Uuid { get; }

    /// <summary>The user may change it.</summary>
    public bool IsWritable { get; }

    /// <summary>The content that the catalogue had at the last load or save.</summary>
    public string PortableDataHash
    {
        get
        {
            lock (Lock)
            {
                return _basePortableDataHash;
            }
        }
    }

    /// <summary>Something is not saved yet.</summary>
    public bool IsDirty
    {
        get
        {
            lock (Lock)
            {
                return RootNode.IsDirtyBelow;
            }
        }
    }

    /// <summary>What a change is answered with when <see cref="IsWritable"/> is false.</summary>
    internal FsError Refusal { get; set; } = FsError.ReadOnly;

    /// <summary>Where a mount shows it; null outside a mount.</summary>
    internal SharedCollection? Places { get; set; }

    internal CollectionServices Services { get; }

    internal Lock Lock { get; } = new();

    internal CollectionDirectory RootNode { get; }

    /// <summary>Files that may hold memory, removed ones included: what a flush goes through.</summary>
    internal HashSet<CollectionFile> WithMemory { get; } = [];

    internal DateTimeOffset ModifiedAt { get; private set; }

    /// <summary>Opens a collection from its record, which must hold the manifest.</summary>
    /// <param name="services">Shared by the collections of a mount.</param>
    /// <param name="record">As the catalogue returned it.</param>
    /// <param name="isWritable">The user may change it; never true for a record that was asked for by portable data hash.</param>
    /// <param name="changed">Told what changed other than by the caller's own operation; called outside all locks.</param>
    /// <exception cref="FsException">The manifest cannot be read.</exception>
    public static CollectionFileSystem Open(CollectionServices services, Collection record, bool isWritable, Action<NodeChange> changed) =>
        new(services, record, isWritable, changed);

    /// <summary>Drops everything; call <see cref="SaveAsync(CancellationToken)"/> first, or unsaved changes are gone, unless the journal has them.</summary>
    public async ValueTask DisposeAsync()
    {
        Services.Open.Remove(this);
        await _closing.CancelAsync();
        await _saveTimer.DisposeAsync();
        await _saving.WaitAsync();
        lock (Lock)
        {
            // What is not saved is in the journal's files, where the next mount finds it.
            _journal?.Close();
            foreach (var file in WithMemory.ToArray())
            {
                file.OpenCount = 0;
                file.IsRemoved = true;
                file.ForgetIfUnreachable();
            }
        }

        _saving.Release();
    }

    internal void CheckWritable(string path)
    {
        if (!IsWritable)
        {
            throw new FsException(Refusal, $"\"{path}\" cannot be changed: collection {Uuid} is read-only here.");
        }
    }

    private static ManifestTree Parse(Collection record)
    {
        try
        {
            return ManifestTree.Load(record.ManifestText ?? default);
        }
        catch (ManifestException e)
        {
            throw new FsException(FsError.InputOutput, $"The manifest of collection {record.Uuid} cannot be read: {e.Message}", e);
        }
    }
}
