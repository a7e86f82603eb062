using System.Net;

namespace KeepFs.Cli.Bench.Web;

/// <summary>A web server that the benchmark reads from and writes to: ours, or somebody else's on a folder of this machine.</summary>
internal abstract class WebPeer : IAsyncDisposable
{
    /// <summary>As the table calls it.</summary>
    public abstract string Name { get; }

    /// <summary>Where it listens.</summary>
    public abstract IPEndPoint Address { get; }

    /// <summary>Sent as Bearer; null: nothing is.</summary>
    public virtual string? Token => null;

    /// <summary>Path of <see cref="WebData"/>, with a slash at its end.</summary>
    public virtual string Readable => "/data/";

    /// <summary>Path of an existing folder that takes files, with a slash at its end.</summary>
    public virtual string Writable => "/new/";

    /// <summary>Answers PROPFIND.</summary>
    public virtual bool Lists => true;

    /// <summary>Starts it, with the data readable.</summary>
    public abstract Task StartAsync(WebData data, CancellationToken cancellationToken);

    /// <summary>Takes away what a load wrote.</summary>
    public abstract Task CleanAsync(CancellationToken cancellationToken);

    /// <inheritdoc/>
    public abstract ValueTask DisposeAsync();
}
