namespace KeepFs.Hosting.Configuration;

/// <summary>
/// One cluster of an Arvados-shaped <c>config.yml</c> (keys are Arvados's: keepstore-http.md 11, catalog-api.md 14, keep-web.md 1).
/// Immutable once loaded; defaults stand here, with the reason where it is ours.
/// </summary>
public sealed record ClusterConfig
{
    /// <summary>Five characters <c>[a-z0-9]</c>; prefix of every UUID of this cluster.</summary>
    public required string ClusterId { get; init; }

    /// <summary>Token of the system user; services refuse to start without it (spec decision 2).</summary>
    public string SystemRootToken { get; init; } = "";

    /// <summary>Token for <c>/_health</c> and <c>/metrics</c>; empty closes the first and opens the second.</summary>
    public string ManagementToken { get; init; } = "";

    /// <summary>Limits of the API and of request handling.</summary>
    public ApiConfig API { get; init; } = new();

    /// <summary>Collections, signatures and trash.</summary>
    public CollectionsConfig Collections { get; init; } = new();

    /// <summary>Addresses of the services, by Arvados's service names.</summary>
    public ServicesConfig Services { get; init; } = new();

    /// <summary>Storage classes by name; empty means one default class named <c>default</c>.</summary>
    public IReadOnlyDictionary<string, StorageClassConfig> StorageClasses { get; init; } = new Dictionary<string, StorageClassConfig>();

    /// <summary>Volumes by UUID.</summary>
    public IReadOnlyDictionary<string, VolumeConfig> Volumes { get; init; } = new Dictionary<string, VolumeConfig>();

    /// <summary>Other clusters by id, whose blocks may be read through this one.</summary>
    public IReadOnlyDictionary<string, RemoteClusterConfig> RemoteClusters { get; init; } = new Dictionary<string, RemoteClusterConfig>();

    /// <summary>Users.</summary>
    public UsersConfig Users { get; init; } = new();

    /// <summary>Certificate and key.</summary>
    public TlsConfig TLS { get; init; } = new();

    /// <summary>Where the catalogue keeps its database (ours; Arvados has PostgreSQL only).</summary>
    public CatalogConfig Catalog { get; init; } = new();

    /// <summary>The database server of the catalogue; without a connection it uses <see cref="CatalogConfig.SqlitePath"/>.</summary>
    public PostgreSqlConfig PostgreSQL { get; init; } = new();

    /// <summary>What only KeepFs has; Arvados ignores the section.</summary>
    public KeepFsConfig KeepFs { get; init; } = new();
}

/// <summary>Our own settings.</summary>
public sealed record KeepFsConfig
{
    /// <summary>How keepstores verify what they hold.</summary>
    public ScrubConfig Scrub { get; init; } = new();

    /// <summary>How often wrong tokens may be tried.</summary>
    public FailedLoginsConfig FailedLogins { get; init; } = new();

    /// <summary>How long a user or project may stay above a soft limit before it counts as a hard one (decision 0038).</summary>
    public TimeSpan QuotaGrace { get; init; } = TimeSpan.FromDays(7);

    /// <summary>
    /// How often the catalogue stores a checkpoint of itself as blocks, when something changed (decision 0040); 0 = never by itself. Nobody likes to lose more
    /// than an hour's work, and each one leaves a few small blocks behind.
    /// </summary>
    public TimeSpan CheckpointInterval { get; init; } = TimeSpan.FromHours(1);

    /// <summary>
    /// Addresses or networks (<c>10.0.0.0/8</c>) of proxies whose <c>X-Forwarded-For</c> is believed; from others it says nothing.
    /// </summary>
    public IReadOnlyDictionary<string, bool> TrustedProxies { get; init; } = new Dictionary<string, bool>();
}

/// <summary>Limits on wrong tokens from one address (an IPv6 network of 64 bits counts as one); docs/security.md.</summary>
public sealed record FailedLoginsConfig
{
    /// <summary>
    /// Wrong tokens that an address may present in one <see cref="Window"/>; then it waits. 0 = no limit. Many more than a person or a script with an old
    /// token makes, far too few to guess one.
    /// </summary>
    public int Limit { get; init; } = 60;

    /// <summary>After this time without wrong tokens everything is forgotten.</summary>
    public TimeSpan Window { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Most addresses with wrong tokens, and most right tokens of addresses, that are remembered; about 100 bytes each.</summary>
    public int MaxRemembered { get; init; } = 10_000;
}

/// <summary>Scrubbing (decision 0014).</summary>
public sealed record ScrubConfig
{
    /// <summary>It runs by itself; otherwise only when told to.</summary>
    public bool Enabled { get; init; } = true;

    /// <summary>Bytes a second on each volume; 0 = no limit.</summary>
    public long Rate { get; init; } = 20 << 20;

    /// <summary>From the end of a pass over a volume to the start of the next.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromDays(14);
}

/// <summary>Limits (keepstore-http.md 12, catalog-api.md 1.3 and 3).</summary>
public sealed record ApiConfig
{
    /// <summary>Concurrent requests per service; 0 = no limit.</summary>
    public int MaxConcurrentRequests { get; init; } = 64;

    /// <summary>Requests that wait in line before 503.</summary>
    public int MaxQueuedRequests { get; init; } = 128;

    /// <summary>64 MiB buffers of a keepstore.</summary>
    public int MaxKeepBlobBuffers { get; init; } = 128;

    /// <summary>Largest request body in bytes.</summary>
    public long MaxRequestSize { get; init; } = 134217728;

    /// <summary>Most items in one page.</summary>
    public int MaxItemsPerResponse { get; init; } = 1000;

    /// <summary>Most bytes of large columns read for one page.</summary>
    public long MaxIndexDatabaseRead { get; init; } = 134217728;

    /// <summary>A request that takes longer is cancelled.</summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>0 = tokens may live for ever.</summary>
    public TimeSpan MaxTokenLifetime { get; init; } = TimeSpan.Zero;
}

/// <summary>Collections, signatures and trash.</summary>
public sealed record CollectionsConfig
{
    /// <summary>Signatures are needed to read blocks and to save manifests.</summary>
    public bool BlobSigning { get; init; } = true;

    /// <summary>The key, used as it is.</summary>
    public string BlobSigningKey { get; init; } = "";

    /// <summary>Lifetime of signatures, and the age below which no block is trashed.</summary>
    public TimeSpan BlobSigningTTL { get; init; } = TimeSpan.FromHours(336);

    /// <summary>Trash lists are executed.</summary>
    public bool BlobTrash { get; init; } = true;

    /// <summary>Time in trash; zero deletes at once.</summary>
    public TimeSpan BlobTrashLifetime { get; init; } = TimeSpan.FromHours(336);

    /// <summary>Period of the emptier.</summary>
    public TimeSpan BlobTrashCheckInterval { get; init; } = TimeSpan.FromHours(24);

    /// <summary>Directories of a volume that are emptied at the same time; 0 switches the emptier off.</summary>
    public int BlobDeleteConcurrency { get; init; } = 4;

    /// <summary>Workers on the trash list; 0 = none.</summary>
    public int BlobTrashConcurrency { get; init; } = 4;

    /// <summary>Workers on the pull list; one runs at least.</summary>
    public int BlobReplicateConcurrency { get; init; } = 4;

    /// <summary>Copies of each block when nobody says otherwise.</summary>
    public int DefaultReplication { get; init; } = 2;

    /// <summary>Time a collection stays in trash.</summary>
    public TimeSpan DefaultTrashLifetime { get; init; } = TimeSpan.FromHours(336);

    /// <summary>Period of the sweep.</summary>
    public TimeSpan TrashSweepInterval { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Old versions are kept.</summary>
    public bool CollectionVersioning { get; init; } = true;

    /// <summary>A version is kept when the last change is at least this old; negative = only on request.</summary>
    public TimeSpan PreserveVersionIfIdle { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>What stands for <c>/</c> in names shown as file names; empty forbids such names.</summary>
    public string ForwardSlashNameSubstitution { get; init; } = "";

    /// <summary>Properties that every new collection gets, by name (catalog-api.md 4.8).</summary>
    public IReadOnlyDictionary<string, ManagedPropertyConfig> ManagedProperties { get; init; } = new Dictionary<string, ManagedPropertyConfig>();

    /// <summary>Accept credentials on any virtual host.</summary>
    public bool TrustAllContent { get; init; }

    /// <summary>Directories appear as keys in S3 listings.</summary>
    public bool S3FolderObjects { get; init; } = true;

    /// <summary>Who may transfer files through keep-web.</summary>
    public WebDAVPermissionConfig WebDAVPermission { get; init; } = new();

    /// <summary>keep-web writes a log record for each file that is downloaded or uploaded.</summary>
    public bool WebDAVLogEvents { get; init; } = true;

    /// <summary>A further part of the same download is not logged again within this time; 0 = log all.</summary>
    public TimeSpan WebDAVLogDownloadInterval { get; init; } = TimeSpan.FromSeconds(30);
}

/// <summary>One property that new collections get.</summary>
public sealed record ManagedPropertyConfig
{
    /// <summary><c>original_owner</c>: the UUID of the user at the root of the chain of owners; empty = <see cref="Value"/>.</summary>
    public string Function { get; init; } = "";

    /// <summary>The text to set.</summary>
    public string Value { get; init; } = "";

    /// <summary>Only admins change or remove it once it is there.</summary>
    public bool Protected { get; init; }
}

/// <summary>Switches for transfers through keep-web, S3 included (keep-web.md 2.9).</summary>
public sealed record WebDAVPermissionConfig
{
    /// <summary>For everybody else.</summary>
    public TransferPermissionConfig User { get; init; } = new();

    /// <summary>For administrators.</summary>
    public TransferPermissionConfig Admin { get; init; } = new();
}

/// <summary>What one kind of user may do.</summary>
public sealed record TransferPermissionConfig
{
    /// <summary>Get file data out.</summary>
    public bool Download { get; init; } = true;

    /// <summary>Put file data in.</summary>
    public bool Upload { get; init; } = true;
}

/// <summary>Services by Arvados's names.</summary>
public sealed record ServicesConfig
{
    /// <summary>The API server.</summary>
    public ServiceConfig Controller { get; init; } = new();

    /// <summary>The keepstores; one internal URL each.</summary>
    public ServiceConfig Keepstore { get; init; } = new();

    /// <summary>Gateways to stores that are not Keep's; one internal URL each (ours: keep-gateway.md leaves it open).</summary>
    public ServiceConfig Keepgw { get; init; } = new();

    /// <summary>keepproxy.</summary>
    public ServiceConfig Keepproxy { get; init; } = new();

    /// <summary>keep-web, inline.</summary>
    public ServiceConfig WebDAV { get; init; } = new();

    /// <summary>keep-web, attachments only.</summary>
    public ServiceConfig WebDAVDownload { get; init; } = new();

    /// <summary>Where people log in; keep-web sends them there.</summary>
    public ServiceConfig Workbench2 { get; init; } = new();

    /// <summary>The event stream.</summary>
    public ServiceConfig Websocket { get; init; } = new();
}

/// <summary>One service.</summary>
public sealed record ServiceConfig
{
    /// <summary>What clients use; empty if not offered.</summary>
    public string ExternalURL { get; init; } = "";

    /// <summary>Where it listens, by URL.</summary>
    public IReadOnlyDictionary<string, InternalUrlConfig> InternalURLs { get; init; } = new Dictionary<string, InternalUrlConfig>();
}

/// <summary>One listening address.</summary>
public sealed record InternalUrlConfig
{
    /// <summary>15 alphanumerics that identify a keepstore in rendezvous hashing (spec decision 3).</summary>
    public string Rendezvous { get; init; } = "";

    /// <summary>Where to listen, if it differs from the URL.</summary>
    public string ListenURL { get; init; } = "";
}

/// <summary>One storage class.</summary>
public sealed record StorageClassConfig
{
    /// <summary>Used for writes that name no class.</summary>
    public bool Default { get; init; }

    /// <summary>Mounts with a higher one are asked first.</summary>
    public int Priority { get; init; }
}

/// <summary>One volume (keepstore-http.md 11).</summary>
public sealed record VolumeConfig
{
    /// <summary>Driver name: Directory, S3, Azure, DirectoryGateway, S3Gateway.</summary>
    public string Driver { get; init; } = "Directory";

    /// <summary>The driver's own settings, as text.</summary>
    public IReadOnlyDictionary<string, string> DriverParameters { get; init; } = new Dictionary<string, string>();

    /// <summary>Servers that mount it, by their URL; empty = all.</summary>
    public IReadOnlyDictionary<string, VolumeAccessConfig> AccessViaHosts { get; init; } = new Dictionary<string, VolumeAccessConfig>();

    /// <summary>Nobody writes.</summary>
    public bool ReadOnly { get; init; }

    /// <summary>Trash is emptied although nobody writes.</summary>
    public bool AllowTrashWhenReadOnly { get; init; }

    /// <summary>Copies that the storage below keeps by itself.</summary>
    public int Replication { get; init; } = 1;

    /// <summary>Classes; empty = <c>default</c>.</summary>
    public IReadOnlyDictionary<string, bool> StorageClasses { get; init; } = new Dictionary<string, bool>();
}

/// <summary>Access of one server.</summary>
public sealed record VolumeAccessConfig
{
    /// <summary>This server only reads.</summary>
    public bool ReadOnly { get; init; }
}

/// <summary>Another cluster (keepstore-http.md 5).</summary>
public sealed record RemoteClusterConfig
{
    /// <summary>Host, or host and port, of its API; empty = not reachable.</summary>
    public string Host { get; init; } = "";

    /// <summary><c>https</c> or <c>http</c>.</summary>
    public string Scheme { get; init; } = "https";

    /// <summary>Its certificates are not verified.</summary>
    public bool Insecure { get; init; }
}

/// <summary>Users.</summary>
public sealed record UsersConfig
{
    /// <summary>Token of the anonymous user; empty = no anonymous access.</summary>
    public string AnonymousUserToken { get; init; } = "";
}

/// <summary>TLS.</summary>
public sealed record TlsConfig
{
    /// <summary>PEM file; Arvados writes it as <c>file:///path</c>.</summary>
    public string Certificate { get; init; } = "";

    /// <summary>PEM file.</summary>
    public string Key { get; init; } = "";

    /// <summary><see cref="Certificate"/> as a path.</summary>
    public string CertificatePath => PathOf(Certificate);

    /// <summary><see cref="Key"/> as a path.</summary>
    public string KeyPath => PathOf(Key);

    /// <summary>Clients do not verify certificates.</summary>
    public bool Insecure { get; init; }

    private static string PathOf(string text) => text.StartsWith("file://", StringComparison.Ordinal) ? text["file://".Length..] : text;
}

/// <summary>PostgreSQL.</summary>
public sealed record PostgreSqlConfig
{
    /// <summary>By libpq's names: <c>host</c> (a folder means its socket), <c>port</c>, <c>dbname</c>, <c>user</c>, <c>password</c>, <c>sslmode</c>; others by Npgsql's. Empty = SQLite.</summary>
    public IReadOnlyDictionary<string, string> Connection { get; init; } = new Dictionary<string, string>();

    /// <summary>Connections for reading, at most; one for writing and one that listens come on top.</summary>
    public int ConnectionPool { get; init; } = 32;
}

/// <summary>The catalogue's database.</summary>
public sealed record CatalogConfig
{
    /// <summary>SQLite file.</summary>
    public string SqlitePath { get; init; } = "";
}
