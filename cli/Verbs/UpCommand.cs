using System.CommandLine;
using System.Net;
using KeepFs.Cli.Mount;
using KeepFs.Cli.Settings;
using KeepFs.Cli.Up;
using KeepFs.Fuse;
using KeepFs.Hosting.Configuration;
using KeepFs.Hosting.Http;
using Microsoft.Extensions.Logging;

namespace KeepFs.Cli.Verbs;

/// <summary><c>keepfs up</c>: a whole cluster in one process, on folders of this machine.</summary>
internal static class UpCommand
{
    public static Command Create()
    {
        var data = new Option<string>("--data") { Description = "Folder for configuration, keys, catalogue and default volume.", DefaultValueFactory = _ => DataFolder.DefaultPath };
        var volumes = new Option<string[]>("--volume") { Description = "Folder for blocks; repeat it for one keepstore each. Remembered for the next start.", Arity = ArgumentArity.OneOrMore };
        var mount = new Option<string?>("--mount") { Description = "Mount your collections at this directory (created if missing)." };
        var listen = new Option<string>("--listen") { Description = "Address to listen on; beyond loopback all services use TLS.", DefaultValueFactory = _ => "127.0.0.1" };
        var portBase = new Option<int?>("--port-base") { Description = $"First port: catalogue +0, keep-web +{UpOptions.WebOffset}, keepstores from +{UpOptions.KeepstoreOffset} on (default: as last time, or {UpOptions.DefaultPortBase})." };
        var clusterId = new Option<string?>("--cluster-id") { Description = "The id that all UUIDs begin with, five characters a-z or 0-9; chosen at the first start (default: a random one)." };
        var database = new Option<string?>("--database") { Description = "PostgreSQL database for the catalogue, such as \"Host=db;Database=keepfs;Username=keepfs\"; \"sqlite\" for a file in --data. Remembered; nothing is moved from one to the other (keepfs catalog export, import).", HelpName = "CONNECTION" };
        var testMode = new Option<bool>("--test-mode") { Description = "For test suites: an admin may reset the catalogue to what was imported (POST /database/reset)." };
        var verbose = new Option<bool>("--verbose") { Description = "Log every request to standard error." };
        var command = new Command("up", "Run everything: catalogue, keepstores, keep-web and, if asked, a mount.") { data, volumes, mount, listen, portBase, clusterId, database, testMode, verbose };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var address = IPAddress.TryParse(parsed.GetRequiredValue(listen), out var ip) ? ip : throw new CommandException($"--listen must be an IP address, not \"{parsed.GetValue(listen)}\".", 2);
            await RunAsync(
                new UpOptions(parsed.GetRequiredValue(data), parsed.GetValue(volumes) ?? [], parsed.GetValue(mount), address, parsed.GetValue(portBase))
                {
                    ClusterId = parsed.GetValue(clusterId),
                    Database = parsed.GetValue(database),
                    IsTestMode = parsed.GetValue(testMode),
                },
                parsed.GetValue(verbose), cancellationToken);
            return 0;
        });
        return command;
    }

    private static async Task RunAsync(UpOptions options, bool isVerbose, CancellationToken cancellationToken)
    {
        using var data = DataFolder.Open(options.Data);
        using var errors = new RecentErrors(TimeProvider.System);
        using var loggers = LoggerFactory.Create(logging => logging
            .AddProvider(errors)
            .SetMinimumLevel(isVerbose ? LogLevel.Information : LogLevel.Warning)
            // Start failures come back to us as exceptions and are told in one line.
            .AddFilter("Microsoft.Extensions.Hosting", LogLevel.None)
            .AddConsole(console => console.LogToStandardErrorThreshold = LogLevel.Trace));
        var config = LoadConfig(data, options);
        await using var cluster = await LocalCluster.StartAsync(config, data, options, loggers, errors, cancellationToken);
        var api = new Uri(config.Services.Controller.ExternalURL);
        data.WriteEnv(
        [
            ("ARVADOS_API_HOST", api.Authority), ("ARVADOS_API_TOKEN", cluster.AdminToken), ("ARVADOS_API_HOST_INSECURE", "1"),
            ("KEEPFS_WEBDAV_URL", config.Services.WebDAV.ExternalURL),
        ]);
        if (options.Mount is null)
        {
            Announce(config, data, options, null);
            await UntilCancelledAsync(cancellationToken);
            return;
        }

        var settings = new ArvadosSettings(api, cluster.AdminToken, IsInsecure: true, []);
        var mount = new MountSettings
        {
            Fuse = new FuseMountOptions { MountPoint = options.Mount, CreatesMountPoint = true, ReplacesDeadMount = true },
            Cache = new BlockCacheSettings { IsOnDisk = false },
            JournalFolder = data.Journal,
        };
        await using var site = await MountedSite.StartAsync(settings, mount, cancellationToken);
        Announce(config, data, options, site.MountPoint);
        await Task.WhenAny(UntilCancelledAsync(cancellationToken), site.Unmounted);
        if (!cancellationToken.IsCancellationRequested)
        {
            Console.Error.WriteLine($"keepfs: {site.MountPoint} was unmounted; the services go on until Ctrl-C");
            await UntilCancelledAsync(cancellationToken);
        }

        await MountCommand.StopAsync(site);
    }

    private static ClusterConfig LoadConfig(DataFolder data, UpOptions options)
    {
        var last = File.Exists(data.ConfigFile) ? ClusterConfigLoader.Load(data.ConfigFile) : null;
        foreach (var warning in last?.Warnings ?? [])
        {
            Console.Error.WriteLine($"keepfs: {data.ConfigFile}: {warning}");
        }

        var config = ClusterPlan.Make(data, options, last?.Config);
        data.EnsureCertificate([.. new[] { "localhost", "127.0.0.1", ClusterPlan.Host(options.Listen).Trim('[', ']') }.Distinct()], TimeProvider.System);
        if (last is null || ClusterConfigWriter.ToYaml(config) != ClusterConfigWriter.ToYaml(last.Config))
        {
            data.WriteConfig(config);
        }

        return config;
    }

    private static void Announce(ClusterConfig config, DataFolder data, UpOptions options, string? mountPoint)
    {
        Console.WriteLine($"cluster     {config.ClusterId}{(options.IsTestMode ? "   (test mode: POST /database/reset throws away what was not imported)" : "")}");
        Console.WriteLine($"catalogue   {config.Services.Controller.ExternalURL}");
        Console.WriteLine($"keep-web    {config.Services.WebDAV.ExternalURL}   (WebDAV; user: anything, password: the token)");
        foreach (var (url, volume) in config.Volumes.Values.Where(volume => volume.Driver == "Directory").SelectMany(volume => volume.AccessViaHosts.Keys.Select(url => (url, volume))).OrderBy(pair => pair.url, StringComparer.Ordinal))
        {
            Console.WriteLine($"keepstore   {url}   {ClusterPlan.RootOf(volume)}");
        }

        foreach (var url in config.Services.Keepgw.InternalURLs.Keys)
        {
            Console.WriteLine($"gateway     {url}   (keepfs gateway publish DIR)");
        }

        Console.WriteLine(mountPoint is null ? "mount       none (--mount DIR)" : $"mount       {mountPoint}/home  {mountPoint}/by_id");
        Console.WriteLine($"data        {data.Path}   ({config.Collections.DefaultReplication} copies of each block)");
        Console.WriteLine();
        Console.WriteLine($"In another shell:  . {data.EnvFile}  &&  ./keepfs put FILE...  &&  ./keepfs ls");
        Console.WriteLine("Stop with Ctrl-C.");
        Console.WriteLine("ready");
    }

    private static Task UntilCancelledAsync(CancellationToken cancellationToken)
    {
        var done = new TaskCompletionSource();
        cancellationToken.Register(done.SetResult);
        return done.Task;
    }
}
