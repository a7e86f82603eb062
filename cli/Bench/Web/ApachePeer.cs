namespace KeepFs.Cli.Bench.Web;

/// <summary>Apache with mod_dav on a folder.</summary>
internal sealed class ApachePeer(string folder) : FolderPeer(folder)
{
    public const string Title = "Apache mod_dav";

    public override string Name => Title;

    protected override string[] Command(int port)
    {
        var program = Find(Title, "apache2-bin", "/usr/sbin/apache2", "/usr/sbin/httpd");
        var modules = new[] { "/usr/lib/apache2/modules", "/usr/lib64/httpd/modules", "/usr/lib/httpd/modules" }.FirstOrDefault(Directory.Exists) ?? "modules";
        var config = Path.Combine(Folder, "apache.conf");
        var load = string.Join('\n', ((string[])["mpm_event", "authz_core", "dav", "dav_fs"]).Select(name => $"LoadModule {name}_module {modules}/mod_{name}.so"));
        File.WriteAllText(config, $$"""
            ServerRoot "{{Folder}}"
            PidFile "{{Folder}}/apache.pid"
            DefaultRuntimeDir "{{Folder}}"
            ErrorLog "{{Folder}}/error.log"
            ServerName 127.0.0.1
            Listen 127.0.0.1:{{port}}
            User {{(Environment.IsPrivilegedProcess ? "www-data" : Environment.UserName)}}
            {{load}}
            MaxKeepAliveRequests 0
            DavLockDB "{{Folder}}/locks"
            DocumentRoot "{{Served}}"
            <Directory "{{Served}}">
                Dav On
                DavDepthInfinity On
                Options FollowSymLinks
                Require all granted
            </Directory>
            """);
        if (Environment.IsPrivilegedProcess)
        {
            Open(Folder);
            Open(Served);
            Open(Path.Combine(Served, "new"));
        }

        return [program, "-f", config, "-D", "FOREGROUND"];
    }

    /// <summary>It does not run as root.</summary>
    private static void Open(string directory) => File.SetUnixFileMode(directory, (UnixFileMode)0b111_111_111);
}
