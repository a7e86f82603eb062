namespace KeepFs.Cli.Keepstore;

/// <summary>
/// What the command line of a keepstore says: every flag of 2016 (keepstore-http.md 14), and the newer <c>-config</c> and <c>-url</c>. Volume
/// flags take the settings that stand before them, so the flags must be set in their order.
/// </summary>
internal sealed class KeepstoreFlags
{
    public const string DefaultConfig = "/etc/arvados/config.yml";
    private const int DefaultSignatureSeconds = 1209600;
    private readonly List<VolumeFlag> _volumes = [];
    private readonly ObjectStoreFlags _s3 = new(replication: 2);
    private readonly ObjectStoreFlags _azure = new(replication: 3);
    private bool _isReadOnly;
    private bool _isSerialized;

    public KeepstoreFlags() => All =
    [
        new("azure-max-get-bytes", "int", "Most bytes to ask for in one GET; below the size of a block, several ranges are asked for at the same time.", "67108864", Legacy(text => _azure.Set("MaxGetBytes", $"{NotNegativeNumber(text)}"))),
        new("azure-storage-account-key-file", "string", "File with the account key for the Azure volumes that come after.", "", Legacy(text => _azure.SetFile("StorageAccountKey", text))),
        new("azure-storage-account-name", "string", "Account for the Azure volumes that come after.", "", Legacy(text => _azure.Set("StorageAccountName", text))),
        new("azure-storage-container-volume", "value", "Container to use as a volume; may be repeated.", "[]", Legacy(AddContainer)),
        new("azure-storage-replication", "int", "Replication reported for the Azure volumes that come after.", "3", Legacy(text => _azure.Replication = Positive(text))),
        new("blob-signature-ttl", "int", "Lifetime of signatures in seconds. A change makes all existing signatures invalid.", "1209600", Legacy(text => SignatureSeconds = Positive(text))),
        new("blob-signing-key-file", "string", "File with the secret key of signatures; read once, so it may be a FIFO.", "", Legacy(text => SigningKeyFile = text)),
        new("config", "string", "Configuration of the cluster. It takes the place of all flags but -url and -pid.", $"\"{DefaultConfig}\"", text => ConfigFile = text),
        new("data-manager-token-file", "string", "File with the token that listing, trashing and deleting need. Without one nobody may.", "", Legacy(text => SystemTokenFile = text)),
        new("enforce-permissions", "", "Reading needs signatures. Needs a signing key.", "", Legacy(text => EnforcesPermissions = GoFlagParser.Boolean(text))),
        new("listen", "string", "Where to listen, as \"host:port\"; without host on all interfaces.", "\":25107\"", Legacy(text => Listen = text)),
        new("max-buffers", "int", "Memory for blocks in buffers of 64 MiB, at most half of what the machine gives; requests wait for it.", "128", Legacy(text => MaxBuffers = Positive(text))),
        new("max-requests", "int", "Requests served at once; the next gets 503.", "2 * max-buffers", Legacy(text => MaxRequests = GoFlagParser.Integer(text) is >= 0 and var count ? count : throw new FormatException("must not be negative"))),
        new("never-delete", "", "Trash and delete nothing.", "true", Legacy(text => NeverDeletes = GoFlagParser.Boolean(text))),
        new("permission-key-file", "string", "The same as -blob-signing-key-file.", "", Legacy(text => SigningKeyFile = text)),
        new("permission-ttl", "int", "The same as -blob-signature-ttl.", "", Legacy(text => SignatureSeconds = Positive(text))),
        new("pid", "file", "File for the process id, kept open and locked until the end; a failure to open, lock or write it is fatal.", "", text => PidFile = text),
        new("readonly", "", "The volumes that come after are only read.", "", Legacy(text => _isReadOnly = GoFlagParser.Boolean(text))),
        new("s3-access-key-file", "string", "File with the access key for the S3 volumes that come after.", "", Legacy(text => _s3.SetFile("AccessKeyID", text))),
        new("s3-bucket-volume", "value", "Bucket to use as a volume; may be repeated.", "[]", Legacy(AddBucket)),
        new("s3-endpoint", "string", "Endpoint for the S3 volumes that come after; blank = AWS.", "", Legacy(text => _s3.Set("Endpoint", S3Endpoint = text))),
        new("s3-region", "string", "AWS region for the S3 volumes that come after.", "", Legacy(text => _s3.Set("Region", S3Region = text))),
        new("s3-replication", "int", "Replication reported for the S3 volumes that come after.", "2", Legacy(text => _s3.Replication = Positive(text))),
        new("s3-secret-key-file", "string", "File with the secret key for the S3 volumes that come after.", "", Legacy(text => _s3.SetFile("SecretAccessKey", text))),
        new("s3-unsafe-delete", "", "Delete from S3 although it races with writes.", "", Legacy(text => DeletesUnsafely = GoFlagParser.Boolean(text))),
        new("serialize", "", "One read or write at a time on each of the volumes that come after.", "", Legacy(text => _isSerialized = GoFlagParser.Boolean(text))),
        new("trash-check-interval", "duration", "Time between two rounds of emptying the trash.", "24h0m0s", Legacy(text => TrashCheckInterval = GoFlagParser.Duration(text))),
        new("trash-lifetime", "duration", "Time in the trash, from where a block can be recovered; 0 deletes at once.", "", Legacy(text => TrashLifetime = NotNegative(text))),
        new("url", "string", "Which entry of Services.Keepstore.InternalURLs this server is; needed when the addresses of this machine fit none or several.", "", text => Url = text),
        new("volume", "value", "Directory for blocks; may be repeated. Without any, every directory \"keep\" at the top of a mounted file system is used. A list with commas is deprecated. s3:MAPPINGS:BUCKET:CREDENTIALS makes this a gateway to a bucket.", "[]", Legacy(AddDirectories)),
        new("volumes", "value", "Deprecated name of -volume.", "[]", Legacy(AddDirectories)),
    ];

    public IReadOnlyList<GoFlag> All { get; }

    /// <summary>A flag of 2016 was given: the command line, and no file, is the configuration.</summary>
    public bool HasLegacy { get; private set; }

    public string? ConfigFile { get; private set; }

    public string? Url { get; private set; }

    public string? PidFile { get; private set; }

    public string? SigningKeyFile { get; private set; }

    public string? SystemTokenFile { get; private set; }

    public int SignatureSeconds { get; private set; } = DefaultSignatureSeconds;

    public bool EnforcesPermissions { get; private set; }

    public string Listen { get; private set; } = ":25107";

    public int MaxBuffers { get; private set; } = 128;

    /// <summary>0 = twice the buffers.</summary>
    public int MaxRequests { get; private set; }

    public bool NeverDeletes { get; private set; } = true;

    public TimeSpan TrashCheckInterval { get; private set; } = TimeSpan.FromHours(24);

    public TimeSpan TrashLifetime { get; private set; } = TimeSpan.Zero;

    /// <summary>Of the S3 volumes that come after, and of the gateway.</summary>
    public string S3Endpoint { get; private set; } = "";

    /// <summary>As the endpoint.</summary>
    public string S3Region { get; private set; } = "";

    /// <summary>The process is a gateway, and has no other volumes.</summary>
    public GatewayFlag? Gateway { get; private set; }

    /// <summary>Of all S3 volumes, wherever it stands.</summary>
    public bool DeletesUnsafely { get; private set; }

    public IReadOnlyList<VolumeFlag> Volumes => _volumes;

    private Action<string> Legacy(Action<string> set) => text =>
    {
        HasLegacy = true;
        set(text);
    };

    private void AddDirectories(string list)
    {
        if (GatewayFlag.IsOne(list))
        {
            Gateway = Gateway is null ? GatewayFlag.Parse(list) : throw new FormatException("a gateway serves one bucket, and one was given before");
            return;
        }

        foreach (var root in list.Split(','))
        {
            if (!root.StartsWith('/'))
            {
                throw new FormatException("a volume must be an absolute path");
            }

            if (!Directory.Exists(root))
            {
                throw new FormatException($"there is no directory {root}");
            }

            if (_volumes.Any(volume => volume.Name == root))
            {
                throw new FormatException($"{root} is given twice");
            }

            _volumes.Add(new VolumeFlag("Directory", root, _isReadOnly, _isSerialized));
        }
    }

    private void AddBucket(string bucket)
    {
        var parameters = _s3.With("Bucket", bucket, "AccessKeyID", "SecretAccessKey");
        var (endpoint, region) = (parameters.GetValueOrDefault("Endpoint", ""), parameters.GetValueOrDefault("Region", ""));
        if (endpoint.Length == 0 && region.Length == 0)
        {
            throw new FormatException("give -s3-region or -s3-endpoint before it");
        }

        if (endpoint.Length > 0 && AwsRegions.IsKnown(region))
        {
            throw new FormatException($"{region} is a region of AWS, which has its own endpoints: give -s3-region or -s3-endpoint, not both");
        }

        if (endpoint.Length == 0 && !AwsRegions.IsKnown(region))
        {
            throw new FormatException($"{region} is no region of AWS: choose one of {string.Join(' ', AwsRegions.All)}, or give -s3-endpoint");
        }

        // As in 2016: other services rarely have a host name for each bucket.
        parameters["UsePathStyle"] = endpoint.Length > 0 ? "true" : "false";
        _volumes.Add(new VolumeFlag("S3", bucket, _isReadOnly, false) { Replication = _s3.Replication, Parameters = parameters });
    }

    private void AddContainer(string container) => _volumes.Add(new VolumeFlag("Azure", container, _isReadOnly, false)
    {
        Replication = _azure.Replication,
        Parameters = _azure.With("ContainerName", container, "StorageAccountName", "StorageAccountKey"),
    });

    private static int Positive(string text) => GoFlagParser.Integer(text) is > 0 and var number ? number : throw new FormatException("must be positive");

    private static int NotNegativeNumber(string text) => GoFlagParser.Integer(text) is >= 0 and var number ? number : throw new FormatException("must not be negative");

    private static TimeSpan NotNegative(string text) =>
        GoFlagParser.Duration(text) is var duration && duration >= TimeSpan.Zero ? duration : throw new FormatException("must not be negative");
}

/// <summary>One volume of the command line.</summary>
/// <param name="Driver">Directory, S3 or Azure.</param>
/// <param name="Name">Directory, bucket or container.</param>
/// <param name="IsReadOnly">Nothing is written, touched or trashed.</param>
/// <param name="IsSerialized">One operation at a time; only directories can.</param>
internal sealed record VolumeFlag(string Driver, string Name, bool IsReadOnly, bool IsSerialized)
{
    private static readonly IReadOnlyDictionary<string, string> None = new Dictionary<string, string>();

    /// <summary>Copies that the storage keeps by itself.</summary>
    public int Replication { get; init; } = 1;

    /// <summary>DriverParameters of an object store, secrets included.</summary>
    public IReadOnlyDictionary<string, string> Parameters { get; init; } = None;
}
