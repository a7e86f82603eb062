using System.Diagnostics;
using System.Globalization;
using KeepFs.Cli.Settings;
using KeepFs.Cli.Up;

namespace KeepFs.Cli.Bench.Mounts;

/// <summary>A <c>keepfs up</c> with one volume, in a process of its own, which holds the data as a collection.</summary>
internal sealed class BenchCluster : IAsyncDisposable
{
    private readonly Process _process;
    private readonly string _folder;

    private BenchCluster(Process process, string folder) => (_process, _folder) = (process, folder);

    /// <summary><c>ARVADOS_*</c> and others, for clients.</summary>
    public IReadOnlyDictionary<string, string> Variables { get; private set; } = new Dictionary<string, string>();

    public ArvadosSettings Settings => ArvadosSettings.From(Variables);

    public Uri WebDav => new(Variables["KEEPFS_WEBDAV_URL"]);

    /// <summary>The name in home of the collection that holds the data.</summary>
    public const string DataName = "data";

    /// <summary>Its UUID.</summary>
    public string DataUuid { get; private set; } = "";

    public static async Task<BenchCluster> StartAsync(string folder, BenchData data, CancellationToken cancellationToken)
    {
        string[] arguments = ["up", "--data", Path.Combine(folder, "data"), "--volume", Path.Combine(folder, "disk"), "--port-base", FreePorts.Base().ToString(CultureInfo.InvariantCulture)];
        var start = new ProcessStartInfo(Environment.ProcessPath!, arguments) { RedirectStandardOutput = true };
        var cluster = new BenchCluster(Process.Start(start)!, folder);
        try
        {
            await cluster.PrepareAsync(data, cancellationToken);
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _ = Mono.Unix.Native.Syscall.kill(_process.Id, Mono.Unix.Native.Signum.SIGTERM);
            await _process.WaitForExitAsync();
        }

        _process.Dispose();
    }

    private async Task PrepareAsync(BenchData data, CancellationToken cancellationToken)
    {
        string? line;
        do
        {
            line = await _process.StandardOutput.ReadLineAsync(cancellationToken);
        }
        while (line is not ("ready" or null));
        if (line is null)
        {
            throw new CommandException("keepfs up did not start; its message stands above.");
        }

        Variables = ArvadosSettings.ParseEnv(File.ReadLines(Path.Combine(_folder, "data", "env")));
        var start = new ProcessStartInfo(Environment.ProcessPath!, ["put", "--name", DataName, data.Folder + "/"]) { RedirectStandardOutput = true };
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
