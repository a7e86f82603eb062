using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using KeepFs.Engine.Blocks;

namespace KeepFs.Cli.Bench.Catalog;

/// <summary>A catalogue in a process of its own, on one of the databases.</summary>
internal sealed class CatalogProcess : IDisposable
{
    private const string Alphabet = "abcdefghijklmnopqrstuvwxyz0123456789";
    private static readonly TimeSpan SignatureLifetime = TimeSpan.FromDays(14);

    private readonly string _folder;
    private readonly Dictionary<string, string>? _connection;
    private readonly string _signingKey = RandomNumberGenerator.GetString(Alphabet, 40);
    private ChildServer? _server;

    /// <param name="folder">For its configuration, its log, and the database if that is a file.</param>
    /// <param name="connection">PostgreSQL's; null: SQLite.</param>
    public CatalogProcess(string folder, Dictionary<string, string>? connection)
    {
        (_folder, _connection) = (Directory.CreateDirectory(folder).FullName, connection);
        Signer = new LocatorSigner(_signingKey, SignatureLifetime);
    }

    /// <summary>Connection to PostgreSQL; null: it has a file.</summary>
    public IReadOnlyDictionary<string, string>? Connection => _connection;

    /// <summary>For what else writes to the same disk.</summary>
    public string Folder => _folder;

    /// <summary>May do everything.</summary>
    public string RootToken { get; } = RandomNumberGenerator.GetString(Alphabet, 50);

    /// <summary>Signs as the cluster's keepstores would.</summary>
    public LocatorSigner Signer { get; }

    public IPEndPoint Address => _server!.Address;

    /// <summary>What it uses.</summary>
    public ServerProcess Process { get; private set; } = null!;

    /// <summary>Starts it, or starts it again on what it has.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        _server?.Dispose();
        var port = ChildServer.FreePort();
        var config = Path.Combine(_folder, "catalog.yml");
        await File.WriteAllTextAsync(config, $$"""
            Clusters:
              {{CatalogData.Cluster}}:
                SystemRootToken: {{RootToken}}
                Collections: { BlobSigningKey: {{_signingKey}}, BlobSigning: true, BlobSigningTTL: {{SignatureLifetime.TotalHours.ToString("0", CultureInfo.InvariantCulture)}}h }
                Catalog: { SqlitePath: "{{Path.Combine(_folder, "catalog.sqlite")}}" }
                PostgreSQL: { Connection: { {{string.Join(", ", (_connection ?? []).Select(pair => $"{pair.Key}: \"{pair.Value}\""))}} } }
            """, cancellationToken);
        string[] arguments = ["bench", "catalog", "--serve", config, "--port", port.ToString(CultureInfo.InvariantCulture)];
        _server = await ChildServer.StartAsync(ThisProgram.CommandLine(arguments), port, Path.Combine(_folder, "log"), cancellationToken);
        Process = ServerProcess.Behind(port) ?? throw new IOException("cannot see the server's process");
    }

    public void Dispose() => _server?.Dispose();
}
