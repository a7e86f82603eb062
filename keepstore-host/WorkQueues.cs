using KeepFs.Engine.Blocks;
using KeepFs.Engine.Mounts;
using KeepFs.Engine.Volumes;
using KeepFs.Hosting.Configuration;

namespace KeepFs.KeepstoreHost;

/// <summary>The trash list and the pull list of one server, with as many workers as the configuration says (keepstore-http.md 9 and 10).</summary>
internal sealed class WorkQueues : IAsyncDisposable
{
    private readonly CollectionsConfig _config;
    private readonly bool _mayPull;

    public WorkQueues(Keepstore keepstore, CollectionsConfig config, BlockBufferPool buffers, IBlockFetcher fetcher, TimeProvider time, IKeepstoreEvents events)
    {
        _config = config;
        _mayPull = keepstore.Mounts.Writable.Count > 0;
        Trash = new(new TrashWorker(keepstore.Mounts, new TrashPolicy(config.BlobSigningTTL, config.BlobTrashLifetime, time), events, keepstore.Forget).TrashAsync);
        Pull = new(new PullWorker(keepstore, buffers, fetcher, events).PullAsync);
    }

    public WorkQueue<TrashItem> Trash { get; }

    public WorkQueue<PullItem> Pull { get; }

    public void Start()
    {
        Trash.Start(MayTrash ? _config.BlobTrashConcurrency : 0);
        Pull.Start(_mayPull ? Math.Max(1, _config.BlobReplicateConcurrency) : 0);
    }

    public string? ReplaceTrash(ReadOnlySpan<byte> body)
    {
        // Without workers a list is accepted all the same, and not kept: nobody would ever take from it.
        var list = WorkLists.ParseTrash(body);
        Trash.Replace(MayTrash ? list : []);
        return null;
    }

    public string? ReplacePull(ReadOnlySpan<byte> body)
    {
        if (WorkLists.ParsePull(body) is not { } list)
        {
            return "pull list: locators need a size hint";
        }

        Pull.Replace(_mayPull ? list : []);
        return null;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.WhenAll(Trash.StopAsync(cancellationToken), Pull.StopAsync(cancellationToken));

    public async ValueTask DisposeAsync()
    {
        await Trash.DisposeAsync();
        await Pull.DisposeAsync();
    }

    private bool MayTrash => _config is { BlobTrash: true, BlobTrashConcurrency: > 0 };
}
