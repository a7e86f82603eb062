using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using KeepFs.Engine.Blocks;
using KeepFs.Engine.Catalog;
using KeepFs.Engine.FileSystems;
using KeepFs.Fuse;
using KeepFs.Fuse.Takeover;

namespace KeepFs.Cli.Mount;

/// <summary>The options of a mount (mount.md section 1), the same under both names; only the defaults differ.</summary>
internal sealed partial class MountOptionSet
{
    private readonly Argument<string?> _directory = new("MOUNT_DIR") { Description = "Where to mount: an empty directory; created if missing.", Arity = ArgumentArity.ZeroOrOne };

    private readonly Option<bool> _readOnly = Flag("--read-only", "Nothing can be changed through the mount.");
    private readonly Option<bool> _readWrite = Flag("--read-write", "Allow changes.");
    private readonly Option<bool> _allowOther = Flag("--allow-other", "Other users of this machine may enter (needs user_allow_other in /etc/fuse.conf unless root).");
    private readonly Option<string?> _filters = Text("--filters", "JSON_OR_FILE", "Only list what passes these API filters: JSON, a file, or - for standard input.");
    private readonly Option<string[]> _exec = new("--exec") { HelpName = "CMD ARGS...", Description = "Mount, run the command, unmount, exit with its status. Takes the rest of the line, or all up to --." };
    private readonly Option<bool> _foreground = Flag("--foreground", "Stay in the foreground.");
    private readonly Option<bool> _background = Flag("--background", "Return as soon as it is mounted and go on in the background.");
    private readonly Option<string?> _subtype = Text("--subtype", "S", "File system type fuse.S in the list of mounts.");
    private readonly Option<bool> _replace = Flag("--replace", "Unmount what is mounted there first (with --subtype only if it is of that type).");
    private readonly Option<bool> _unmount = Flag("--unmount", "Unmount and exit.");
    private readonly Option<bool> _unmountAll = Flag("--unmount-all", "Unmount every FUSE mount at or below MOUNT_DIR and exit.");
    private readonly Option<double> _unmountTimeout = new("--unmount-timeout") { HelpName = "SEC", Description = "How long to wait for programs that use the mount before they are cut off.", DefaultValueFactory = _ => 2.0 };
    private readonly Option<double> _statistics = new("--crunchstat-interval") { HelpName = "SEC", Description = "Write statistics to standard error this often; 0 = never." };
    private readonly Option<bool> _debug = Flag("--debug", "Log more.");
    private readonly Option<string?> _logFile = Text("--logfile", "FILE", "Append the log to a file instead of standard error.");
    private readonly Option<bool> _diskCache = Flag("--disk-cache", "Keep blocks that were read on disk (the default).");
    private readonly Option<bool> _ramCache = Flag("--ram-cache", "Keep blocks that were read in memory only.");
    private readonly Option<string?> _diskCacheDirectory = Text("--disk-cache-dir", "DIR", "Where (default: keep below the Arvados cache directory).");
    private readonly Option<string?> _fileCache = Text("--file-cache", "BYTES", "Size of that cache, at least 64 MiB; K, M, G, T may follow; 0 = chosen automatically.");
    private readonly Option<string?> _directoryCache = Text("--directory-cache", "BYTES", "Memory for directories and collections (default 128 MiB).");
    private readonly Option<bool> _disableEvents = Flag("--disable-event-listening", "Do not subscribe to change events; ask every refresh time instead.");
    private readonly Option<string?> _encoding = Text("--encoding", "NAME", "Encoding of file names: utf-8, there is no other.");
    private readonly Option<string?> _storageClasses = Text("--storage-classes", "A,B", "Storage classes of new collections.");
    private readonly Option<double> _refreshTime = new("--refresh-time") { HelpName = "SEC", Description = "How old listings and collections may be.", DefaultValueFactory = _ => 15 };
    private readonly Option<int?> _retries = new("--retries") { HelpName = "N", Description = "How often a failed request is repeated." };
    private readonly Option<bool> _syncClose = Flag("--sync-close", "close() returns only when the file is on the keepstores and saved.");
    private readonly Option<bool> _fastClose = Flag("--fast-close", "close() returns at once; saving follows within about a second.");
    private readonly Option<bool> _supervise = Flag("--supervise", "Keep the mount in a process of its own, so that it survives the death or the upgrade of the one that serves it.");
    private readonly Option<bool> _upgrade = Flag("--upgrade", "Let a new process of this program take over the supervised mount at MOUNT_DIR, and exit.");
    private readonly Option<bool> _version = Flag("--version", "Print the version and exit.");
    private readonly MountStyle _style;

    private string? _standardInput;
    private bool _readsInput;

    public MountOptionSet(MountStyle style) => _style = style;

    /// <summary>What stood on standard input, if an option needed it.</summary>
    public string StandardInput => _readsInput ? _standardInput ??= Console.In.ReadToEnd() : "";

    public Command CreateCommand()
    {
        var command = _style == MountStyle.ArvMount
            ? new Command("arv-mount", "Mount collections as a folder, with arv-mount's defaults: read-only, in the background, close() saves.")
            : new Command("mount", "Mount your collections as a folder (read-write, in the foreground).");
        command.Add(_directory);
        foreach (var option in (Option[])
            [
                .. Modes(), _readOnly, _readWrite, _allowOther, _filters, _exec, _foreground, _background, _replace, _unmount, _unmountAll, _unmountTimeout, _subtype, _diskCache,
                _ramCache, _diskCacheDirectory, _fileCache, _directoryCache, _storageClasses, _refreshTime, _disableEvents, _retries, _syncClose, _fastClose, _statistics, _debug, _logFile,
                _supervise, _upgrade, _encoding, _version,
            ])
        {
            command.Add(option);
        }

        return command;
    }

    public bool WantsVersion(ParseResult parsed) => parsed.GetValue(_version);

    public string Directory(ParseResult parsed) =>
        parsed.GetValue(_directory) is { Length: > 0 } directory ? directory : throw Usage("Where? Name the directory to mount at: MOUNT_DIR is missing.");

    public bool Unmounts(ParseResult parsed) => parsed.GetValue(_unmount);

    public bool UnmountsAll(ParseResult parsed) => parsed.GetValue(_unmountAll);

    public bool Upgrades(ParseResult parsed) => parsed.GetValue(_upgrade);

    /// <summary>The mount is to be held by this process and served by another.</summary>
    public bool Supervises(ParseResult parsed, bool hasExec) =>
        parsed.GetValue(_supervise)
        && (!hasExec && StandardInput.Length == 0 ? true : throw Usage("--supervise goes neither with --exec nor with options read from standard input."));

    public bool Replaces(ParseResult parsed) => parsed.GetValue(_replace);

    public MountRemoval Removal(ParseResult parsed) =>
        new(Seconds(parsed, _unmountTimeout), parsed.GetValue(_unmountAll) || parsed.GetValue(_replace) || parsed.GetValue(_unmount) ? parsed.GetValue(_subtype) : null, TimeProvider.System);

    public string? LogFile(ParseResult parsed) => parsed.GetValue(_logFile);

    /// <summary>The process should go into the background once it has mounted.</summary>
    public bool IsDaemon(ParseResult parsed, bool hasExec)
    {
        RequireNotBoth(parsed, _foreground, _background);
        var background = _style == MountStyle.ArvMount ? !parsed.GetValue(_foreground) : parsed.GetValue(_background);
        return background && !hasExec;
    }

    /// <summary>Checks the options against each other.</summary>
    /// <exception cref="CommandException">Which of them do not fit, or what is wrong with a value.</exception>
    public MountSettings Settings(ParseResult parsed, Action<string> log)
    {
        RequireNotBoth(parsed, _readOnly, _readWrite);
        RequireNotBoth(parsed, _diskCache, _ramCache);
        RequireNotBoth(parsed, _ramCache, _diskCacheDirectory);
        RequireNotBoth(parsed, _syncClose, _fastClose);
        RequireUtf8(parsed.GetValue(_encoding));
        var isReadOnly = parsed.GetValue(_readOnly) || (_style == MountStyle.ArvMount && !parsed.GetValue(_readWrite));
        var root = Root(parsed);
        var classes = Classes(parsed.GetValue(_storageClasses));
        var retries = parsed.GetValue(_retries) ?? (_style == MountStyle.ArvMount ? 10 : null);
        return new MountSettings
        {
            Fuse = new FuseMountOptions
            {
                MountPoint = Directory(parsed),

                // A temporary collection can be written in a mount that is otherwise read-only: then the tree says so, not the kernel.
                IsReadOnly = isReadOnly && !root.HasTmp,
                AllowOther = parsed.GetValue(_allowOther),
                CreatesMountPoint = true,
                ReplacesDeadMount = true,
                Held = HeldMount.FromEnvironment(),
                Subtype = parsed.GetValue(_subtype) ?? "keepfs",
                UnmountTimeout = Seconds(parsed, _unmountTimeout),
            },
            Site = new SiteOptions
            {
                Root = root,
                IsReadOnly = isReadOnly,
                RefreshTime = Seconds(parsed, _refreshTime),
                Filters = Filters(parsed.GetValue(_filters)),
                StorageClasses = classes,
                MetadataBytes = Bytes(parsed.GetValue(_directoryCache), "--directory-cache") is var bytes and > 0 ? bytes : new SiteOptions().MetadataBytes,
            },
            Collections = new CollectionOptions
            {
                SyncOnClose = parsed.GetValue(_syncClose) || (_style == MountStyle.ArvMount && !parsed.GetValue(_fastClose)),
                Write = classes.Length > 0 ? new BlockWriteOptions(null, classes) : BlockWriteOptions.Default,
            },
            Cache = new BlockCacheSettings
            {
                IsOnDisk = !parsed.GetValue(_ramCache),
                Folder = parsed.GetValue(_diskCacheDirectory),
                Bytes = Bytes(parsed.GetValue(_fileCache), "--file-cache"),
            },
            Retries = retries is < 0 ? throw Usage("--retries must be 0 or more.") : retries,
            Listens = !parsed.GetValue(_disableEvents),
            StatisticsInterval = parsed.GetValue(_statistics) is >= 0 and <= 1e6 and var interval ? TimeSpan.FromSeconds(interval) : throw Usage("--crunchstat-interval must be 0 seconds or more."),
            IsVerbose = parsed.GetValue(_debug),
            Log = log,
        };
    }

    private static TimeSpan Seconds(ParseResult parsed, Option<double> option) =>
        parsed.GetValue(option) is > 0 and <= 1e8 and var seconds ? TimeSpan.FromSeconds(seconds) : throw Usage($"{option.Name} must be a number of seconds above 0.");

    private static void RequireNotBoth(ParseResult parsed, Option one, Option other)
    {
        if (IsGiven(parsed, one) && IsGiven(parsed, other))
        {
            throw Usage($"{one.Name} and {other.Name} contradict each other.");
        }
    }

    private static void RequireUtf8(string? encoding)
    {
        if (encoding is not null && encoding.ToUpperInvariant() is not ("UTF-8" or "UTF8"))
        {
            throw Usage($"--encoding {encoding}: file names are UTF-8 here, because manifests are; no other encoding is possible.");
        }
    }

    private CatalogFilters Filters(string? text)
    {
        if (text is null)
        {
            return CatalogFilters.None;
        }

        _readsInput = text == "-";
        try
        {
            return CatalogFilters.Parse(text == "-" ? StandardInput : text.TrimStart() is ['[', ..] ? text : File.ReadAllText(text));
        }
        catch (FormatException e)
        {
            throw new CommandException($"--filters: {e.Message}", 2, e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandException($"--filters: {text} is neither a JSON array nor a file that can be read: {e.Message}", 2, e);
        }
    }

    private static string[] Classes(string? text) =>
        [.. (text ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Distinct(StringComparer.Ordinal)];

    /// <summary>A number of bytes; K, M, G and T are powers of 1024.</summary>
    internal static long Bytes(string? text, string option)
    {
        if (string.IsNullOrEmpty(text))
        {
            return 0;
        }

        var power = "KMGT".IndexOf(char.ToUpperInvariant(text[^1]), StringComparison.Ordinal) + 1;
        var digits = power > 0 ? text[..^1] : text;
        return long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number <= long.MaxValue >> (10 * power)
            ? number << (10 * power)
            : throw Usage($"{option} {text}: give a number of bytes, such as 1073741824 or 1G.");
    }

    private static bool IsGiven(ParseResult parsed, Option option) => parsed.GetResult(option) is OptionResult { Implicit: false };

    private static Option<bool> Flag(string name, string description) => new(name) { Description = description };

    private static Option<string?> Text(string name, string value, string description) => new(name) { Description = description, HelpName = value };

    private static CommandException Usage(string message) => new(message, 2);
}
