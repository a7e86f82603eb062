namespace KeepFs.Cli.Bench.Web;

/// <summary>nginx: static files by sendfile, and PUT. It knows no PROPFIND.</summary>
internal sealed class NginxPeer(string folder) : FolderPeer(folder)
{
    public const string Title = "nginx";

    public override string Name => Title;

    public override bool Lists => false;

    protected override string[] Command(int port)
    {
        var program = Find(Title, "nginx-light", "/usr/sbin/nginx", "/usr/bin/nginx", "/usr/local/sbin/nginx");
        var config = Path.Combine(Folder, "nginx.conf");
        File.WriteAllText(config, $$"""
            worker_processes {{Environment.ProcessorCount}};
            daemon off;
            pid {{Folder}}/nginx.pid;
            error_log {{Folder}}/error.log;
            user root;
            events { worker_connections 1024; }
            http {
                access_log {{Folder}}/access.log combined buffer=64k;
                sendfile on;
                tcp_nopush on;
                keepalive_requests 1000000000;
                client_max_body_size 0;
                client_body_temp_path {{Folder}}/served/body;
                server {
                    listen 127.0.0.1:{{port}} backlog=1024;
                    root "{{Served}}";
                    location /new/ { dav_methods PUT DELETE; }
                }
            }
            """);
        return [program, "-c", config, "-p", Folder];
    }
}
