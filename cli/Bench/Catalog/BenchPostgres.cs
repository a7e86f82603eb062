using System.Diagnostics;

namespace KeepFs.Cli.Bench.Catalog;

/// <summary>A PostgreSQL server of Debian's packages in a folder of its own, as it is delivered: every commit waits for the disk. It ends with this process.</summary>
internal sealed class BenchPostgres : IAsyncDisposable
{
    private const string Packages = "/usr/lib/postgresql";
    private const string User = "postgres";

    private readonly Process _guard;

    private BenchPostgres(Process guard, string folder) => (_guard, Folder) = (guard, folder);

    /// <summary>Holds its data, and its socket: what clients call the host.</summary>
    public string Folder { get; }

    /// <summary>Where a database is, in the configuration's words.</summary>
    public Dictionary<string, string> Connection => new() { ["host"] = Folder, ["user"] = User, ["dbname"] = User };

    /// <summary>Whether the packages are there.</summary>
    public static bool IsInstalled => Programs is not null;

    private static string? Programs => !Directory.Exists(Packages) ? null : Directory.GetDirectories(Packages)
        .Select(folder => Path.Join(folder, "bin")).Where(folder => File.Exists(Path.Join(folder, "initdb"))).OrderDescending(StringComparer.Ordinal).FirstOrDefault();

    /// <summary>Makes and starts one. Roots start it as the user postgres, whom the packages make.</summary>
    /// <exception cref="CommandException">It is not installed, or did not start.</exception>
    public static async Task<BenchPostgres> StartAsync(string folder, CancellationToken cancellationToken)
    {
        var programs = Programs ?? throw new CommandException("PostgreSQL is not installed: apt-get install postgresql, or --database sqlite", 2);
        Directory.CreateDirectory(folder);
        File.SetUnixFileMode(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
        var owns = Environment.IsPrivilegedProcess ? $"chown {User} {folder} && exec runuser -u {User} --" : "exec";
        // The guard reads from us until we are gone.
        var script = $$"""
            set -e
            cd {{folder}}
            export LC_ALL=C.UTF-8
            {{programs}}/initdb -D {{folder}}/data -A trust -U {{User}} --encoding=UTF8 --locale=C.UTF-8 >log 2>&1
            {{programs}}/pg_ctl -D {{folder}}/data -s -w -l log -o "-c listen_addresses='' -c unix_socket_directories={{folder}}" start </dev/null >>log 2>&1
            echo ready
            cat >/dev/null
            {{programs}}/pg_ctl -D {{folder}}/data -s -m immediate stop >>log 2>&1
            """;
        var guard = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", owns + " /bin/sh -c \"$0\"", script]) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        return await guard.StandardOutput.ReadLineAsync(cancellationToken) == "ready"
            ? new BenchPostgres(guard, folder)
            : throw new CommandException(File.Exists(Path.Join(folder, "log"))
                ? $"PostgreSQL did not start: {await File.ReadAllTextAsync(Path.Join(folder, "log"), cancellationToken)}"
                : $"PostgreSQL did not start in {folder}: its user must be able to get there");
    }

    public async ValueTask DisposeAsync()
    {
        _guard.StandardInput.Close();
        await _guard.WaitForExitAsync();
        _guard.Dispose();
    }
}
