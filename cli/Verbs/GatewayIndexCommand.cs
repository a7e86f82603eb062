using System.CommandLine;
using KeepFs.Cli.Gateway;
using KeepFs.Cli.Transfer;
using KeepFs.Engine.Volumes.Gateway;
using KeepFs.Volumes.S3;

namespace KeepFs.Cli.Verbs;

/// <summary><c>keepfs gateway index</c>: fills or refreshes the index of a gateway volume (keep-gateway.md 6).</summary>
internal static class GatewayIndexCommand
{
    private const string S3Scheme = "s3://";

    public static Command Create()
    {
        var source = new Argument<string>("SOURCE") { Description = "A directory, or s3://BUCKET[/PREFIX]." };
        var mappings = new Option<string>("--mappings") { Description = "Folder of the index (MappingsDir of the volume); made if it is missing.", Required = true };
        var root = new Option<string?>("--root") { Description = "For a directory: Root of the volume, which holds it (default: the directory itself)." };
        var endpoint = new Option<string>("--s3-endpoint") { Description = "URL of the S3 service; without it AWS.", DefaultValueFactory = _ => "" };
        var region = new Option<string>("--s3-region") { Description = "Region.", DefaultValueFactory = _ => Environment.GetEnvironmentVariable("AWS_REGION") ?? "us-east-1" };
        var pathStyle = new Option<bool>("--s3-path-style") { Description = "The bucket is part of the path; most services other than AWS need it." };
        var trust = new Option<bool>("--trust-etag") { Description = "S3: take the ETag of an object up to 64 MiB for its MD5 instead of reading it. Right only without multipart uploads and encryption by key." };
        var jobs = new Option<int>("--jobs") { Description = "Objects read at once; 1 or 2 for one spinning disk.", DefaultValueFactory = _ => new GatewayScanOptions().Jobs };
        var removeAll = new Option<bool>("--remove-all") { Description = "Empty the index when the source is empty; otherwise that is refused, since a disk that is not mounted looks the same." };
        var quiet = new Option<bool>("--quiet", "-q") { Description = "No progress." };
        var command = new Command("index", "Hash a directory or bucket, so that a gateway finds blocks in it. Only what changed is read again.")
        {
            source, mappings, root, endpoint, region, pathStyle, trust, jobs, removeAll, quiet,
        };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var options = new GatewayScanOptions
            {
                Jobs = parsed.GetValue(jobs) is > 0 and var count ? count : throw new CommandException("--jobs must be positive.", 2),
                TrustsETag = parsed.GetValue(trust),
                MayRemoveAll = parsed.GetValue(removeAll),
            };
            var index = new GatewayIndex(Path.GetFullPath(parsed.GetRequiredValue(mappings)));
            var from = parsed.GetRequiredValue(source);
            var report = from.StartsWith(S3Scheme, StringComparison.Ordinal)
                ? await IndexBucketAsync(index, from, ConnectionOf, options, parsed.GetValue(quiet), cancellationToken)
                : await IndexDirectoryAsync(index, from, parsed.GetValue(root), options, parsed.GetValue(quiet), cancellationToken);
            return report.Errors > 0 ? 1 : 0;

            S3ConnectionOptions ConnectionOf(string bucket) => new()
            {
                Bucket = bucket,
                Endpoint = parsed.GetRequiredValue(endpoint),
                Region = parsed.GetRequiredValue(region),
                UsePathStyle = parsed.GetValue(pathStyle),
            };
        });
        return command;
    }

    private static async Task<ScanReport> IndexBucketAsync(
        GatewayIndex index, string source, Func<string, S3ConnectionOptions> connection, GatewayScanOptions options, bool isQuiet, CancellationToken cancellationToken)
    {
        var name = source[S3Scheme.Length..];
        var slash = name.IndexOf('/', StringComparison.Ordinal);
        var (bucket, prefix) = slash < 0 ? (name, "") : (name[..slash], name[(slash + 1)..]);

        // Keys come from the places where every AWS program looks: AWS_ACCESS_KEY_ID, ~/.aws, the role of the machine.
        await using var objects = new S3Objects(connection(bucket));
        using var run = new IndexRun(index, objects, options with { Prefix = new ObjectKey(prefix) }, isQuiet);
        var report = await run.RunAsync(objects.ListAsync(prefix, cancellationToken), () => true, cancellationToken);
        Console.WriteLine(run.Summary(report));
        return report;
    }

    private static async Task<ScanReport> IndexDirectoryAsync(
        GatewayIndex index, string source, string? root, GatewayScanOptions options, bool isQuiet, CancellationToken cancellationToken)
    {
        var folder = LocalPath.Real(source);
        var skips = new SkipReport(20);
        var top = root is null ? folder : LocalPath.Real(root);
        if (top != "/" && folder != top && !folder.StartsWith(top + "/", StringComparison.Ordinal))
        {
            throw new CommandException($"{folder} is not below {top}.", 2);
        }

        var listing = new DirectoryListing(folder, top, followLinks: false, skips);
        await using var files = new FileObjects(top, TimeProvider.System);
        using var run = new IndexRun(index, files, options with { Prefix = listing.Prefix }, isQuiet);
        var report = await run.RunAsync(listing.ListAsync(files, cancellationToken), () => listing.IsComplete, cancellationToken);
        skips.Finish();
        Console.WriteLine(run.Summary(report));
        return report;
    }
}
