using System.Net;

namespace KeepFs.Cli.Bench.Web;

/// <summary>A server of somebody else on a folder: <c>data</c> to read, <c>new</c> to write.</summary>
internal abstract class FolderPeer(string folder) : WebPeer
{
    private ChildServer? _server;

    public sealed override IPEndPoint Address => _server?.Address ?? throw new InvalidOperationException("not started");

    /// <summary>For its configuration and log.</summary>
    protected string Folder => folder;

    /// <summary>What it serves.</summary>
    protected string Served => Path.Combine(folder, "served");

    public sealed override async Task StartAsync(WebData data, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(Path.Combine(Served, "new"));
        File.CreateSymbolicLink(Path.Combine(Served, "data"), data.Folder);
        var port = ChildServer.FreePort();
        _server = await ChildServer.StartAsync(Command(port), port, Path.Combine(folder, "log"), cancellationToken);
    }

    public sealed override Task CleanAsync(CancellationToken cancellationToken)
    {
        Directory.Delete(Path.Combine(Served, "new"), recursive: true);
        Directory.CreateDirectory(Path.Combine(Served, "new"));
        return Task.CompletedTask;
    }

    public sealed override ValueTask DisposeAsync()
    {
        _server?.Dispose();
        return default;
    }

    /// <summary>Writes what configuration it needs; returns the command line.</summary>
    protected abstract string[] Command(int port);

    /// <exception cref="CommandException">It is not installed.</exception>
    protected static string Find(string title, string package, params string[] paths) => paths.FirstOrDefault(File.Exists)
        ?? throw new CommandException($"{title} is missing: apt-get install {package}, or leave it out with --without '{title}'.", 2);
}
