using System.Diagnostics;

namespace KeepFs.Testing;

/// <summary>
/// A PostgreSQL server of Debian's packages with a folder and a socket of its own, for whoever started it: it ends and its folder goes when this process ends,
/// however that happens. Roots start it as the user postgres, whom the packages make. Safe for concurrent use.
/// </summary>
public sealed class PostgresServer : IAsyncDisposable
{
    private const string Packages = "/usr/lib/postgresql";
    private const string Memory = "/dev/shm";
    private const long EnoughMemory = 1L << 30;

    private readonly Process _guard;
    private readonly string _folder;

    private PostgresServer(Process guard, string folder) => (_guard, _folder) = (guard, folder);

    /// <summary>The folder with its socket: what clients call the host. Everybody may connect as <c>postgres</c>.</summary>
    public string Host => _folder;

    private static string Programs => Directory.Exists(Packages)
        ? Directory.GetDirectories(Packages).Select(folder => Path.Join(folder, "bin")).Where(folder => File.Exists(Path.Join(folder, "initdb"))).OrderByDescending(folder => folder, StringComparer.Ordinal).FirstOrDefault() ?? Missing()
        : Missing();

    /// <summary>Makes and starts a server.</summary>
    /// <param name="isDurable">Commits reach the disk, as crash tests need; otherwise nothing waits for it.</param>
    public static async Task<PostgresServer> StartAsync(bool isDurable)
    {
        var programs = Programs;
        // Memory, where there is enough of it: hundreds of databases come and go.
        var folder = !isDurable && Directory.Exists(Memory) && new DriveInfo(Memory).AvailableFreeSpace > EnoughMemory
            ? Path.Join(Memory, $"keepfs-postgres-{Guid.NewGuid():N}")
            : Path.Join(Path.GetTempPath(), $"keepfs-postgres-{Guid.NewGuid():N}");
        Directory.CreateDirectory(folder);
        var speed = isDurable ? "" : "-c fsync=off -c full_page_writes=off -c autovacuum=off -c wal_level=minimal -c max_wal_senders=0 -c max_wal_size=64MB";
        // The guard reads from us until we are gone.
        var script = $$"""
            set -e
            cd {{folder}}
            export LC_ALL=C.UTF-8
            {{programs}}/initdb -D {{folder}}/data --no-sync -A trust -U postgres --encoding=UTF8 --locale=C.UTF-8 >log 2>&1
            {{programs}}/pg_ctl -D {{folder}}/data -s -w -l log -o "-c listen_addresses='' -c unix_socket_directories={{folder}} -c max_connections=600 -c shared_buffers=64MB {{speed}}" start </dev/null >>log 2>&1
            echo ready
            cat >/dev/null
            {{programs}}/pg_ctl -D {{folder}}/data -s -m immediate stop >>log 2>&1 || true
            cd /
            rm -rf {{folder}}
            """;
        await RunAsync("chmod", "755", folder);
        if (Environment.IsPrivilegedProcess)
        {
            await RunAsync("chown", "postgres", folder);
        }

        var guard = Process.Start(AsPostgres("sh", "-c", script))!;
        if (await guard.StandardOutput.ReadLineAsync() != "ready")
        {
            throw new InvalidOperationException($"PostgreSQL did not start: {await File.ReadAllTextAsync(Path.Join(folder, "log"))}");
        }

        return new PostgresServer(guard, folder);
    }

    /// <summary>Ends the server as a power failure would, as far as it can tell, and starts it again.</summary>
    public Task RestartAsync() => RunAsync(AsPostgres(Path.Join(Programs, "pg_ctl"), "-D", Path.Join(_folder, "data"), "-s", "-w", "-m", "immediate", "-l", Path.Join(_folder, "log"), "restart"));

    /// <summary>Makes a database.</summary>
    public Task CreateDatabaseAsync(string name, params string[] options) => RunAsync(AsPostgres(Path.Join(Programs, "createdb"), ["-h", _folder, "-U", "postgres", .. options, name]));

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _guard.StandardInput.Close();
        await _guard.WaitForExitAsync();
        _guard.Dispose();
    }

    private static string Missing() => throw new InvalidOperationException($"There is no PostgreSQL below {Packages}; check.sh installs Debian's package postgresql.");

    private static ProcessStartInfo AsPostgres(string program, params IEnumerable<string> arguments)
    {
        var info = Environment.IsPrivilegedProcess ? new ProcessStartInfo("runuser", ["-u", "postgres", "--", program, .. arguments]) : new ProcessStartInfo(program, arguments);
        info.RedirectStandardInput = info.RedirectStandardOutput = true;
        return info;
    }

    private static Task RunAsync(string program, params string[] arguments) => RunAsync(new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true });

    private static async Task RunAsync(ProcessStartInfo info)
    {
        using var process = Process.Start(info)!;
        process.StandardInput.Close();
        await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"{info.FileName} {string.Join(' ', info.ArgumentList)} failed with {process.ExitCode}.");
        }
    }
}
