using System.CommandLine;
using System.Globalization;
using KeepFs.Cli.Gateway;
using KeepFs.Cli.Output;
using KeepFs.Cli.Settings;
using KeepFs.Cli.Transfer;
using KeepFs.Cli.Up;
using KeepFs.Engine.Blocks;
using KeepFs.Engine.Client;
using KeepFs.Engine.Volumes.Gateway;
using KeepFs.KeepstoreHost;

namespace KeepFs.Cli.Verbs;

/// <summary>
/// <c>keepfs gateway publish</c>: a folder becomes readable as a collection and stays where it is. It is indexed for the cluster's gateway, which
/// sees the new index at once, and a collection with hints to that gateway is made or updated.
/// </summary>
internal static class GatewayPublishCommand
{
    public static Command Create()
    {
        var folder = new Argument<string>("DIR") { Description = "The folder." };
        var name = new Option<string?>("--name") { Description = "Name of the collection (default: the folder's); made unique if it is taken." };
        var project = new Option<string?>("--project") { Description = "UUID of the project or user that owns it (default: your home)." };
        var data = new Option<string>("--data") { Description = "Folder of the `keepfs up` whose cluster gets the collection.", DefaultValueFactory = _ => DataFolder.DefaultPath };
        var config = new Option<string?>("--config") { Description = "Configuration of another cluster with a gateway on this machine; the token comes from ARVADOS_API_TOKEN." };
        var follow = new Option<bool>("--follow-links") { Description = "Show what symbolic links point to; otherwise links are skipped with a message." };
        var removeAll = new Option<bool>("--remove-all") { Description = "Go on when the folder is empty and was not before; otherwise that is refused, since a disk that is not mounted looks the same." };
        var jobs = new Option<int>("--jobs") { Description = "Files read at once; 1 or 2 for one spinning disk.", DefaultValueFactory = _ => new GatewayScanOptions().Jobs };
        var quiet = new Option<bool>("--quiet", "-q") { Description = "No progress." };
        var command = new Command("publish", "Make a folder readable as a collection without copying it; again: update that collection. Prints its UUID.")
        {
            folder, name, project, data, config, follow, removeAll, jobs, quiet,
        };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var real = LocalPath.Real(parsed.GetRequiredValue(folder));
            if (!Directory.Exists(real))
            {
                throw new CommandException($"\"{real}\" is not a directory.", 2);
            }

            var options = new GatewayScanOptions
            {
                Jobs = parsed.GetValue(jobs) is > 0 and var count ? count : throw new CommandException("--jobs must be positive.", 2),
                MayRemoveAll = parsed.GetValue(removeAll),
            };
            var gateway = GatewayConfig.Load(parsed.GetValue(config), Path.GetFullPath(parsed.GetRequiredValue(data)));
            var run = new PublishRun(gateway, real, options, parsed.GetValue(follow), parsed.GetValue(quiet));
            return await run.RunAsync(parsed.GetValue(name), parsed.GetValue(project), cancellationToken);
        });
        return command;
    }

    private sealed class PublishRun(GatewayConfig gateway, string folder, GatewayScanOptions options, bool followLinks, bool isQuiet)
    {
        private readonly VolumeReference _volume = VolumeReference.Of(gateway, folder);

        public async Task<int> RunAsync(string? name, string? project, CancellationToken cancellationToken)
        {
            await using var session = await ClientSession.ConnectAsync(gateway.Settings, new SessionLimits(128 << 20, 128 << 20, 2), cancellationToken);
            var uuid = await FindGatewayAsync(cancellationToken);
            var skips = new SkipReport(20);
            var listing = new DirectoryListing(folder, _volume.Root, followLinks, skips);
            var (entries, report) = await IndexAsync(listing, skips, cancellationToken);
            var publication = new Publication(
                new LocatorSigner(gateway.Cluster.Collections.BlobSigningKey, gateway.Cluster.Collections.BlobSigningTTL),
                gateway.Settings.Token,
                uuid,
                DateTimeOffset.UtcNow + gateway.Cluster.Collections.BlobSigningTTL);
            var missing = Fill(publication, listing, entries);
            if (publication.Sample is { } sample)
            {
                await TryReadAsync(session, sample, cancellationToken);
            }

            var published = new PublishedFolders(_volume.Mappings);
            var (record, isNew) = await publication.SaveAsync(session, published.Find(folder), name, Path.GetFileName(folder) is { Length: > 0 } last ? last : "root", project, cancellationToken);
            published.Put(folder, record.Uuid);
            Console.Error.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"keepfs: {(isNew ? "published" : "updated")} \"{record.Name}\": {Readable.Count(publication.FileCount)} files, {Readable.Bytes(publication.TotalBytes)}. They stay in {folder}; after a change there, publish again."));
            Console.WriteLine(record.Uuid);
            return report.Errors > 0 || missing > 0 ? 1 : 0;
        }

        private async Task<(IReadOnlyDictionary<ObjectKey, CataloguedObject> Entries, ScanReport Report)> IndexAsync(DirectoryListing listing, SkipReport skips, CancellationToken cancellationToken)
        {
            await using var source = GatewaySource.Create(_volume.Config, TimeProvider.System);
            using var run = new IndexRun(new GatewayIndex(_volume.Mappings), source, options with { Prefix = listing.Prefix }, isQuiet);
            var report = await run.RunAsync(listing.ListAsync(source, cancellationToken), () => listing.IsComplete, cancellationToken);
            skips.Finish();
            Console.Error.WriteLine("keepfs: " + run.Summary(report));
            return (run.Entries, report);
        }

        private static int Fill(Publication publication, DirectoryListing listing, IReadOnlyDictionary<ObjectKey, CataloguedObject> entries)
        {
            var missing = 0;
            foreach (var (path, key) in listing.Entries)
            {
                if (key is null)
                {
                    publication.AddDirectory(path);
                }
                else if (entries.TryGetValue(key, out var entry))
                {
                    publication.AddFile(path, entry);
                }
                else
                {
                    missing++;
                }
            }

            return missing;
        }

        /// <summary>The gateway as the catalogue knows it; null when the volume is on ordinary keepstores.</summary>
        private async Task<string?> FindGatewayAsync(CancellationToken cancellationToken)
        {
            if (gateway.GatewayUrlOf(_volume.Config) is not { } url)
            {
                return null;
            }

            using var http = ClientSession.CreateHttp(gateway.Settings.IsInsecure);
            using var directory = new ServiceDirectory(http, gateway.Settings.ApiRoot, gateway.Settings.Token, TimeProvider.System);
            var services = await directory.GetAsync(refresh: false, cancellationToken);
            var wanted = new Uri(url);
            return services.FirstOrDefault(service => service.IsGateway && service.BaseUri.Host == wanted.Host && service.BaseUri.Port == wanted.Port)?.Uuid
                ?? throw new CommandException($"The catalogue lists no gateway {url}. Restart `keepfs up`, or register the service with the type gateway:NAME.");
        }

        /// <summary>Before anybody is told of the collection.</summary>
        private async Task TryReadAsync(ClientSession session, Locator sample, CancellationToken cancellationToken)
        {
            try
            {
                using var lease = await session.Store.ReadAsync(sample, 0, sample.SizeBytes, cancellationToken);
            }
            catch (KeepException e)
            {
                throw new CommandException($"The folder is indexed, but the gateway does not serve it: {e.Message} Is it running, and may it read {folder}?", 1, e);
            }
        }
    }

    /// <summary>The volume that serves the folder.</summary>
    private sealed record VolumeReference(Hosting.Configuration.VolumeConfig Config, string Root, string Mappings)
    {
        public static VolumeReference Of(GatewayConfig gateway, string folder)
        {
            var volume = gateway.VolumeFor(folder);
            return new VolumeReference(
                volume,
                GatewayConfig.RootOf(volume),
                volume.DriverParameters.GetValueOrDefault("MappingsDir") is { Length: > 0 } mappings ? mappings : throw new CommandException("The gateway volume has no MappingsDir."));
        }
    }
}
