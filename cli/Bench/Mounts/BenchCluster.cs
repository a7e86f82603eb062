using System.Diagnostics;
using KeepFs.Cli.Settings;
using KeepFs.Cli.Up;

namespace KeepFs.Cli.Bench.Mounts;

/// <summary>A cluster with one volume, which holds the data as a collection.</summary>
internal sealed class BenchCluster : IAsyncDisposable
{
    /// <summary>The name in home of the collection that holds the data.</summary>
    public const string DataName = "data";

    private readonly ClusterProcess _process;

    private BenchCluster(ClusterProcess process) => _process = process;

    /// <summary><c>ARVADOS_*</c> and others, for clients.</summary>
    public IReadOnlyDictionary<string, string> Variables => _process.Variables;

    public ArvadosSettings Settings => _process.Settings;

    public Uri WebDav => _process.WebDavUrl;

    /// <summary>The UUID of the data.</summary>
    public string DataUuid { get; private set; } = "";

    public static async Task<BenchCluster> StartAsync(string folder, BenchData data, CancellationToken cancellationToken)
    {
        var cluster = new BenchCluster(await ClusterProcess.StartAsync(Path.Combine(folder, "data"), [Path.Combine(folder, "disk")], mountPoint: null, cancellationToken));
        try
        {
            await cluster.PutAsync(data, cancellationToken);
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    public ValueTask DisposeAsync() => _process.DisposeAsync();

    private async Task PutAsync(BenchData data, CancellationToken cancellationToken)
    {
        var start = ThisProgram.With(["put", "--name", DataName, data.Folder + "/"]);
        start.RedirectStandardOutput = true;
        foreach (var (name, value) in Variables)
        {
            start.Environment[name] = value;
        }

        using var put = Process.Start(start)!;
        DataUuid = (await put.StandardOutput.ReadToEndAsync(cancellationToken)).Trim();
        await put.WaitForExitAsync(cancellationToken);
        if (put.ExitCode != 0)
        {
            throw new CommandException("keepfs put did not store the data; its message stands above.");
        }
    }
}
