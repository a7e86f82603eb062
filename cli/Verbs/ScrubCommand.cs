using System.CommandLine;
using System.Globalization;
using KeepFs.Cli.Output;
using KeepFs.Cli.Scrub;
using KeepFs.Engine.Mounts;
using Spectre.Console;

namespace KeepFs.Cli.Verbs;

/// <summary><c>keepfs scrub</c>: shows, starts, stops and watches how keepstores verify what they hold.</summary>
internal static class ScrubCommand
{
    private static readonly TimeSpan WatchEvery = TimeSpan.FromSeconds(1);

    public static Command Create()
    {
        var server = new Argument<string?>("URL") { Description = "The keepstore, such as http://keep0.zzzzz.example:25107; nothing = all that the configuration names.", Arity = ArgumentArity.ZeroOrOne };
        var config = new Option<string>("--config") { Description = "The cluster's configuration, for the servers and the system token.", DefaultValueFactory = _ => Keepstore.KeepstoreFlags.DefaultConfig };
        var tokenFile = new Option<string?>("--token-file") { Description = "A file with the system token, instead of the configuration." };
        var now = new Option<bool>("--now") { Description = "Start a pass, or go on with one that was stopped." };
        var stop = new Option<bool>("--stop") { Description = "Stop after the blocks under way; the position is kept." };
        var rate = new Option<long?>("--rate") { Description = "Bytes a second on each volume, until the server is restarted; 0 = no limit." };
        var watch = new Option<bool>("--watch") { Description = "Show progress until no pass is under way." };
        var json = new Option<bool>("--json") { Description = "One JSON object for each server." };
        var command = new Command("scrub", "Verify the blocks of keepstores: show how far it got, start it, watch it.") { server, config, tokenFile, now, stop, rate, watch, json };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            if (parsed.GetValue(now) && parsed.GetValue(stop))
            {
                throw new CommandException("--now and --stop contradict each other", 2);
            }

            using var client = ScrubClient.Create(parsed.GetValue(server), parsed.GetValue(config)!, parsed.GetValue(tokenFile));
            if (parsed.GetValue(rate) is { } bytes)
            {
                await client.OrderAsync("rate", bytes, cancellationToken);
            }

            if (parsed.GetValue(now) || parsed.GetValue(stop))
            {
                await client.OrderAsync(parsed.GetValue(now) ? "start" : "stop", null, cancellationToken);
            }

            return parsed.GetValue(watch) ? await WatchAsync(client, parsed.GetValue(json), cancellationToken) : await ReportAsync(client, parsed.GetValue(json), cancellationToken);
        });
        return command;
    }

    /// <summary>Exit code 0: nothing is lost; 1: something is.</summary>
    private static async Task<int> ReportAsync(ScrubClient client, bool asJson, CancellationToken cancellationToken)
    {
        var servers = await client.StatusAsync(cancellationToken);
        if (asJson)
        {
            foreach (var (_, text, _) in servers)
            {
                Console.Write(text);
            }
        }
        else
        {
            AnsiConsole.Write(TableOf(servers));
        }

        return servers.Any(server => server.Status.Mounts.Any(mount => mount.State.LostBlocks > 0)) ? 1 : 0;
    }

    private static async Task<int> WatchAsync(ScrubClient client, bool asJson, CancellationToken cancellationToken)
    {
        // Redrawn on a terminal only; a file gets the report at the end.
        var isLive = !asJson && !Console.IsOutputRedirected;
        var servers = await client.StatusAsync(cancellationToken);
        if (isLive)
        {
            await AnsiConsole.Live(TableOf(servers)).AutoClear(true).StartAsync(UntilDoneAsync);
        }
        else
        {
            await UntilDoneAsync(null);
        }

        return await ReportAsync(client, asJson, cancellationToken);

        async Task UntilDoneAsync(LiveDisplayContext? display)
        {
            while (servers.Any(server => server.Status.Mounts.Any(mount => mount.Activity is "scrubbing" or "yielding")))
            {
                await Task.Delay(WatchEvery, cancellationToken);
                servers = await client.StatusAsync(cancellationToken);
                display?.UpdateTarget(TableOf(servers));
            }
        }
    }

    private static Table TableOf(IReadOnlyList<ScrubbedServer> servers)
    {
        var table = new Table().AddColumns("server", "volume", "now", "done", "checked", "corrupt", "healed", "unreadable", "lost", "last complete");
        foreach (var (url, _, status) in servers)
        {
            foreach (var mount in status.Mounts)
            {
                // Between passes the last one is what people want to see.
                var isUnderWay = mount.State.Position.Length > 0 || mount.State.LastPass is null;
                table.AddRow([.. Row(url, mount, isUnderWay ? mount.State.Pass : mount.State.LastPass!).Select(Markup.Escape)]);
            }
        }

        return table;
    }

    private static string[] Row(string url, MountScrubStatus mount, ScrubTotals pass) =>
    [
        url,
        mount.MountUuid,
        mount.Activity,
        mount.State.Position.Length > 0 ? mount.Done.ToString("0.0%", CultureInfo.InvariantCulture) : "",
        $"{Readable.Count(pass.CheckedBlocks)} ({Readable.Bytes(pass.CheckedBytes)})",
        Readable.Count(pass.CorruptBlocks),
        Readable.Count(pass.HealedBlocks),
        Readable.Count(pass.FailedReads),
        Readable.Count(mount.State.LostBlocks),
        mount.State.LastCompleteAt == 0 ? "never" : DateTimeOffset.FromUnixTimeSeconds(mount.State.LastCompleteAt).ToLocalTime().ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture),
    ];
}
