using System.Security.Cryptography;
using KeepFs.Engine.Volumes;
using KeepFs.Hosting.Configuration;

namespace KeepFs.Cli.Up;

/// <summary>
/// The folder that <c>keepfs up</c> keeps everything in: <c>config.yml</c>, keys, the admin token, the certificate, the catalogue's database and the
/// default volume. Only its owner may read it. One process at a time holds it.
/// </summary>
internal sealed class DataFolder : IDisposable
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private readonly FileStream _lock;

    private DataFolder(string path, FileStream held) => (Path, _lock) = (path, held);

    public string Path { get; }

    public string ConfigFile => In("config.yml");

    public string CertificateFile => In("tls", "certificate.pem");

    public string KeyFile => In("tls", "key.pem");

    public string DatabaseFile => In("catalog.sqlite");

    /// <summary>What the mount has not saved yet.</summary>
    public string Journal => In("journal");

    public string EnvFile => In("env");

    public string DefaultVolume => In("volume0");

    /// <summary>Index of what the gateway serves.</summary>
    public string GatewayIndex => In("gateway");

    private string TokenFile => In("admin-token");

    /// <summary><c>$XDG_DATA_HOME/keepfs</c>, normally <c>~/.local/share/keepfs</c>.</summary>
    public static string DefaultPath => System.IO.Path.Combine(
        Environment.GetEnvironmentVariable("XDG_DATA_HOME") is { Length: > 0 } data ? data : System.IO.Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".local", "share"),
        "keepfs");

    /// <summary>Creates the folder if need be and takes it for this process.</summary>
    /// <exception cref="CommandException">Another process has it.</exception>
    public static DataFolder Open(string path)
    {
        path = System.IO.Path.GetFullPath(path);
        Directory.CreateDirectory(path, OwnerOnly | UnixFileMode.UserExecute);
        try
        {
            // The runtime takes an advisory lock for FileShare.None, which ends with the process however it ends.
            var held = new FileStream(
                System.IO.Path.Combine(path, "lock"), new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = FileShare.None, UnixCreateMode = OwnerOnly });
            return new DataFolder(path, held);
        }
        catch (IOException e) when (e is not DirectoryNotFoundException and not FileNotFoundException)
        {
            throw new CommandException($"Another `keepfs up` is running on {path}. Stop it first, or choose another --data folder.", 1, e);
        }
    }

    /// <summary>The admin's token as UUID and secret, made when first asked for.</summary>
    public (string Uuid, string Secret) AdminToken(string clusterId)
    {
        if (!File.Exists(TokenFile))
        {
            WritePrivate(TokenFile, $"v2/{clusterId}-gj3su-{Secrets.Create(15)}/{Secrets.Create(50)}\n");
        }

        var parts = File.ReadAllText(TokenFile).Trim().Split('/');
        return parts is ["v2", var uuid, var secret] ? (uuid, secret) : throw new CommandException($"{TokenFile} does not hold a token; remove it to get a new one.");
    }

    /// <summary>Writes what a shell needs to use this cluster.</summary>
    public void WriteEnv(IEnumerable<(string Name, string Value)> variables) =>
        WritePrivate(EnvFile, string.Concat(variables.Select(variable => $"export {variable.Name}='{variable.Value}'\n")));

    public void WriteConfig(ClusterConfig config) => WritePrivate(ConfigFile, ClusterConfigWriter.ToYaml(config));

    /// <summary>Makes a self-signed certificate for the names that this machine is asked by, unless there is one that lasts.</summary>
    public void EnsureCertificate(IReadOnlyCollection<string> hosts, TimeProvider time)
    {
        if (File.Exists(CertificateFile) && SelfSigned.IsGoodFor(CertificateFile, hosts, time))
        {
            return;
        }

        Directory.CreateDirectory(In("tls"), OwnerOnly | UnixFileMode.UserExecute);
        var (certificate, key) = SelfSigned.Create(hosts, time);
        WritePrivate(KeyFile, key);
        WritePrivate(CertificateFile, certificate);
    }

    public void Dispose() => _lock.Dispose();

    private string In(params string[] names) => System.IO.Path.Combine([Path, .. names]);

    /// <summary>Temporary file, fsync, rename, fsync of the folder: a crash leaves the old content or the new one.</summary>
    private static void WritePrivate(string file, string text)
    {
        var temporary = file + ".new";
        File.Delete(temporary);
        using (var stream = new FileStream(temporary, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = OwnerOnly }))
        {
            stream.Write(System.Text.Encoding.UTF8.GetBytes(text));
            stream.Flush(flushToDisk: true);
        }

        File.Move(temporary, file, overwrite: true);
        new PosixDisk().SyncDirectory(System.IO.Path.GetDirectoryName(file)!);
    }
}

/// <summary>Random base-36 text for ids and secrets.</summary>
internal static class Secrets
{
    public static string Create(int length) => RandomNumberGenerator.GetString("0123456789abcdefghijklmnopqrstuvwxyz", length);
}
