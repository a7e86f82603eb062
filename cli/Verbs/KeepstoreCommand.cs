using System.CommandLine;
using System.Globalization;
using KeepFs.Cli.Keepstore;
using KeepFs.Engine.Blocks.Hashing;
using KeepFs.Engine.Volumes;
using KeepFs.Hosting.Configuration;
using KeepFs.Hosting.Http;
using KeepFs.KeepstoreHost;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;

namespace KeepFs.Cli.Verbs;

/// <summary>
/// <c>keepfs keepstore</c>: one storage daemon, configured by an Arvados <c>config.yml</c> or by the flags of 2016. Its arguments are in
/// Go's syntax (<see cref="GoFlagParser"/>).
/// </summary>
internal static class KeepstoreCommand
{
    /// <summary>Uploads under way may end; below the 90 s after which systemd kills.</summary>
    private static readonly TimeSpan DrainTime = TimeSpan.FromSeconds(60);

    public static Command Create()
    {
        var flags = new Argument<string[]>("flags") { Description = "-config=FILE, -url=URL, or the flags of 2016; -h lists all.", Arity = ArgumentArity.ZeroOrMore };
        var command = new Command("keepstore", "Run one keepstore: blocks on the disks of this machine.") { flags };
        command.SetAction((parsed, cancellationToken) => RunAsync(parsed.GetValue(flags) ?? [], cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(string[] arguments, CancellationToken cancellationToken)
    {
        var flags = new KeepstoreFlags();
        if (!GoFlagParser.Parse(flags.All, arguments))
        {
            var name = InvokedName.Find();
            Console.Write(GoFlagParser.Usage(Path.GetFileName(name) == "keepstore" ? name : "keepfs keepstore", flags.All));
            return 0;
        }

        Say($"keepstore starting, pid {Environment.ProcessId}");
        using var pidFile = flags.PidFile is { Length: > 0 } path ? PidFile.Create(path) : null;
        using var errors = new RecentErrors(TimeProvider.System);
        using var loggers = LoggerFactory.Create(logging => logging
            .AddProvider(errors)
            .AddSimpleConsole(console => (console.SingleLine, console.TimestampFormat) = (true, "yyyy/MM/dd HH:mm:ss "))
            .AddConsole(console => console.LogToStandardErrorThreshold = LogLevel.Trace)

            // What it says when a start fails, we say in one line.
            .AddFilter("Microsoft.Extensions.Hosting", LogLevel.None));
        var (config, url, options) = UsesFlags(flags) ? FromFlags(flags) : FromFile(flags, loggers.CreateLogger<ServerCertificate>());
        await using var hashing = new HashService(new HashServiceOptions());
        await using var server = KeepstoreServer.Create(config, url, options with { LoggerFactory = loggers, Errors = errors, Hashing = hashing });
        foreach (var mount in server.Keepstore.Mounts.All)
        {
            var name = mount.Volume is DirectoryVolume ? $"UnixVolume {config.Volumes[mount.Uuid].DriverParameters["Root"]}" : $"{config.Volumes[mount.Uuid].Driver} {mount.Volume.DeviceId}";
            Say($"Using volume [{name}] (writable={(mount.AllowWrite ? "true" : "false")})");
        }

        await StartAsync(server, cancellationToken);
        Say("listening at " + string.Join(", ", server.Addresses.Select(address => new Uri(address)).Select(address => address.Host is "[::]" or "0.0.0.0" ? $":{address.Port}" : address.Authority)));
        await UntilCancelledAsync(cancellationToken);
        Say("stopping: finishing the requests under way");
        using var patience = new CancellationTokenSource(DrainTime);
        await server.StopAsync(patience.Token);
        return 0;
    }

    /// <summary>A command line without any flag means the file if there is one, and as in 2016 the discovered volumes if not.</summary>
    private static bool UsesFlags(KeepstoreFlags flags) => (flags.HasLegacy, flags.ConfigFile ?? flags.Url) switch
    {
        (true, not null) => throw new CommandException("-config and -url cannot be combined with the flags of 2016: the file says all that they say", 2),
        (true, null) => true,
        (false, not null) => false,
        (false, null) => !File.Exists(KeepstoreFlags.DefaultConfig),
    };

    private static (ClusterConfig Config, string Url, KeepstoreServerOptions Options) FromFlags(KeepstoreFlags flags)
    {
        var (config, url, listen) = FlagConfig.Make(flags, VolumeDiscovery.Find);
        return (config, url, new KeepstoreServerOptions { Listen = listen, ServesStatus = true });
    }

    private static (ClusterConfig Config, string Url, KeepstoreServerOptions Options) FromFile(KeepstoreFlags flags, ILogger logger)
    {
        var path = flags.ConfigFile ?? KeepstoreFlags.DefaultConfig;
        var loaded = ClusterConfigLoader.Load(path);
        var (config, warnings) = loaded;
        foreach (var warning in warnings)
        {
            Say($"{path}: {warning}");
        }

        var url = ServerUrl.Choose(config, flags.Url, ServerUrl.IsThisMachine);
        return (config, url, new KeepstoreServerOptions { Certificate = LoadCertificate(config.TLS, logger), ConfigSource = loaded.Source });
    }

    private static ServerCertificate? LoadCertificate(TlsConfig tls, ILogger logger) =>
        tls.Certificate.Length == 0 ? null : ServerCertificate.FromPem(tls.CertificatePath, tls.KeyPath, TimeProvider.System, logger);

    private static async Task StartAsync(KeepstoreServer server, CancellationToken cancellationToken)
    {
        try
        {
            await server.StartAsync(cancellationToken);
        }
        catch (IOException e) when (e.InnerException is AddressInUseException)
        {
            throw new CommandException($"{e.Message} Another program listens there; is a keepstore running already?", 1, e);
        }
    }

    /// <summary>To standard error, as the original's log.</summary>
    private static void Say(string text) =>
        Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{DateTime.Now:yyyy/MM/dd HH:mm:ss} {text}"));

    private static async Task UntilCancelledAsync(CancellationToken cancellationToken)
    {
        var done = new TaskCompletionSource();
        await using (cancellationToken.Register(done.SetResult))
        {
            await done.Task;
        }
    }
}
