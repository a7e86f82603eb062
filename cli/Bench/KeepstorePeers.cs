using System.Security.Cryptography;

namespace KeepFs.Cli.Bench;

/// <summary>Starts what is measured: our own daemon as an operator would run it, and nginx on the same files.</summary>
internal static class KeepstorePeers
{
    /// <summary>Eight blocks in flight are what the loads of 64 MiB need; the daemon may not use more than this and its base.</summary>
    public const int Buffers = 8;

    /// <summary>For the index.</summary>
    public static string SystemToken { get; } = Secret();

    /// <summary>Our keepstore on one volume, signatures required, access log on.</summary>
    /// <param name="volume">Its folder.</param>
    /// <param name="work">For its configuration and log.</param>
    /// <param name="syncsAlone">Every PUT makes itself durable, one after another: what sharing syncs is compared with.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    public static Task<ChildServer> StartKeepstoreAsync(string volume, string work, bool syncsAlone, CancellationToken cancellationToken)
    {
        var port = ChildServer.FreePort();
        var config = Path.Combine(work, $"keepstore-{port}.yml");
        File.WriteAllText(config, $$"""
            Clusters:
              zbnch:
                SystemRootToken: {{SystemToken}}
                ManagementToken: {{Secret()}}
                Collections: { BlobSigningKey: {{Secret()}}, BlobSigning: true }
                API: { MaxKeepBlobBuffers: {{Buffers}}, MaxConcurrentRequests: 64, MaxQueuedRequests: 1024 }
                Services: { Keepstore: { InternalURLs: { "http://127.0.0.1:{{port}}": {} } } }
                Volumes:
                  zbnch-nyw5e-000000000000000:
                    Driver: Directory
                    DriverParameters: { Root: "{{volume}}", Serialize: {{(syncsAlone ? "true" : "false")}}, ShareSyncs: {{(syncsAlone ? "false" : "true")}} }
            """);
        return ChildServer.StartAsync(ThisProgram.CommandLine(["keepstore", "-config", config]), port, Path.Combine(work, "keepstore.log"), cancellationToken);
    }

    /// <summary>nginx serving a volume's files: no hash, no signature; the limit for reading.</summary>
    /// <exception cref="CommandException">It is not installed.</exception>
    public static Task<ChildServer> StartNginxAsync(string volume, string work, CancellationToken cancellationToken)
    {
        var program = new[] { "/usr/sbin/nginx", "/usr/bin/nginx", "/usr/local/sbin/nginx" }.FirstOrDefault(File.Exists)
            ?? throw new CommandException("nginx is the peer for reading and is not installed: apt-get install nginx-light, or --no-nginx", 2);
        var port = ChildServer.FreePort();
        var config = Path.Combine(work, "nginx.conf");
        File.WriteAllText(config, $$"""
            worker_processes {{Environment.ProcessorCount}};
            daemon off;
            pid {{work}}/nginx.pid;
            error_log {{work}}/nginx-error.log;
            user root;
            events { worker_connections 1024; }
            http {
                access_log {{work}}/nginx-access.log combined buffer=64k;
                sendfile on;
                tcp_nopush on;
                keepalive_requests 1000000000;
                open_file_cache max=100000 inactive=600s;
                open_file_cache_valid 600s;
                client_body_temp_path {{work}}/nginx-body;
                server {
                    listen 127.0.0.1:{{port}} backlog=1024;
                    root "{{volume}}";
                }
            }
            """);
        return ChildServer.StartAsync([program, "-c", config, "-p", work], port, Path.Combine(work, "nginx.log"), cancellationToken);
    }

    private static string Secret() => RandomNumberGenerator.GetString("abcdefghijklmnopqrstuvwxyz0123456789", 40);
}
