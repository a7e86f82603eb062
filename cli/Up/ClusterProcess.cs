using System.Diagnostics;
using System.Globalization;
using KeepFs.Cli.Settings;
using Mono.Unix.Native;

namespace KeepFs.Cli.Up;

/// <summary>A real <c>keepfs up</c> in a process of its own, on ports that are free, for whoever needs a cluster for a while.</summary>
internal sealed class ClusterProcess : IAsyncDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromMinutes(2);
    private readonly Process _process;

    private ClusterProcess(Process process, string data) => (_process, Data) = (process, data);

    /// <summary>Its data folder.</summary>
    public string Data { get; }

    /// <summary><c>ARVADOS_*</c> and others, for clients.</summary>
    public IReadOnlyDictionary<string, string> Variables { get; private set; } = new Dictionary<string, string>();

    public ArvadosSettings Settings => ArvadosSettings.From(Variables);

    public Uri WebDavUrl => new(Variables["KEEPFS_WEBDAV_URL"]);

    /// <summary>Starts it and waits until it is ready; what goes wrong is on standard error.</summary>
    /// <exception cref="CommandException">It did not start.</exception>
    public static async Task<ClusterProcess> StartAsync(string data, IEnumerable<string> volumes, string? mountPoint, CancellationToken cancellationToken)
    {
        string[] arguments =
        [
            "up", "--data", data, .. volumes.SelectMany(volume => (string[])["--volume", volume]), .. mountPoint is null ? Array.Empty<string>() : ["--mount", mountPoint],
            "--port-base", FreePorts.Base().ToString(CultureInfo.InvariantCulture),
        ];
        var start = ThisProgram.With(arguments);
        (start.RedirectStandardOutput, start.RedirectStandardInput) = (true, true);
        var cluster = new ClusterProcess(Process.Start(start)!, data);
        try
        {
            await cluster.AwaitReadyAsync(cancellationToken);
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>Stores a folder's content as a collection, with <c>keepfs put</c> as its user would; returns the UUID.</summary>
    /// <exception cref="CommandException">It failed; its message is on standard error.</exception>
    public async Task<string> PutAsync(string name, string folder, CancellationToken cancellationToken)
    {
        var start = ThisProgram.With(["put", "--name", name, folder + "/"]);
        start.RedirectStandardOutput = true;
        foreach (var (variable, value) in Variables)
        {
            start.Environment[variable] = value;
        }

        using var put = Process.Start(start)!;
        var uuid = (await put.StandardOutput.ReadToEndAsync(cancellationToken)).Trim();
        await put.WaitForExitAsync(cancellationToken);
        return put.ExitCode == 0 ? uuid : throw new CommandException("keepfs put did not store the data; its message stands above.");
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _ = Syscall.kill(_process.Id, Signum.SIGTERM);
            await _process.WaitForExitAsync();
        }

        _process.Dispose();
    }

    private async Task AwaitReadyAsync(CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(StartLimit);
        while (await _process.StandardOutput.ReadLineAsync(limit.Token) is { } line)
        {
            if (line == "ready")
            {
                Variables = ArvadosSettings.ParseEnv(File.ReadLines(Path.Combine(Data, "env")));
                return;
            }
        }

        await _process.WaitForExitAsync(cancellationToken);
        throw new CommandException("keepfs up did not start; its message stands above.");
    }
}
