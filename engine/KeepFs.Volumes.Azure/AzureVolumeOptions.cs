using KeepFs.Engine.Volumes;

namespace KeepFs.Volumes.Azure;

/// <summary>The DriverParameters of an Azure volume (keepstore-http.md 11.3).</summary>
public sealed record AzureVolumeOptions
{
    private const string PublicCloud = "core.windows.net";
    private static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(1);

    /// <summary>The account.</summary>
    public required string StorageAccountName { get; init; }

    /// <summary>One of its two keys, decoded. Never shown.</summary>
    public required byte[] StorageAccountKey { get; init; }

    /// <summary>The container, which must exist.</summary>
    public required string ContainerName { get; init; }

    /// <summary>When blocks may go.</summary>
    public required TrashPolicy Trash { get; init; }

    /// <summary>The domain of the cloud, reached by HTTPS; or a URL, behind which the account is the first folder (decision 0012).</summary>
    public string StorageBaseURL { get; init; } = PublicCloud;

    /// <summary>Longest time of one request with all bytes.</summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Time between two attempts when listing was refused because the service is busy.</summary>
    public TimeSpan ListBlobsRetryDelay { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Attempts for one page of a listing.</summary>
    public int ListBlobsMaxAttempts { get; init; } = 12;

    /// <summary>Most bytes to ask for in one request; larger blobs are read in several at the same time. 0 = whole blobs.</summary>
    public int MaxGetBytes { get; init; }

    /// <summary>An empty blob younger than this may be half written: readers wait for its bytes.</summary>
    public TimeSpan WriteRaceInterval { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>Time between two looks at such a blob.</summary>
    public TimeSpan WriteRacePollTime { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Blobs in one page of a listing; Azure gives 5,000 at most.</summary>
    internal int PageSize { get; init; } = 5000;

    /// <summary>Name of the storage, equal for equal storage.</summary>
    public string DeviceId => $"azure://{StorageBaseURL}/{StorageAccountName}/{ContainerName}";

    /// <summary>Reads and checks the parameters; what is wrong is added to the faults.</summary>
    public static AzureVolumeOptions Parse(DriverParameters parameters, TrashPolicy trash)
    {
        var key = new byte[parameters.RequiredText("StorageAccountKey").Length];
        if (!Convert.TryFromBase64String(parameters.Text("StorageAccountKey"), key, out var keyLength))
        {
            parameters.Fault("StorageAccountKey", "is not in base 64; copy one of the two keys as the portal shows them");
        }

        var options = new AzureVolumeOptions
        {
            StorageAccountName = parameters.RequiredText("StorageAccountName"),
            StorageAccountKey = key[..keyLength],
            ContainerName = parameters.RequiredText("ContainerName"),
            Trash = trash,
            StorageBaseURL = parameters.Text("StorageBaseURL", PublicCloud),
            RequestTimeout = parameters.Duration("RequestTimeout", TimeSpan.FromMinutes(10), Shortest),
            ListBlobsRetryDelay = parameters.Duration("ListBlobsRetryDelay", TimeSpan.FromSeconds(10), TimeSpan.Zero),
            ListBlobsMaxAttempts = parameters.Number("ListBlobsMaxAttempts", 12, 1, 1000),
            MaxGetBytes = parameters.Number("MaxGetBytes", 0, 0, int.MaxValue),
            WriteRaceInterval = parameters.Duration("WriteRaceInterval", TimeSpan.FromSeconds(15), TimeSpan.Zero),
            WriteRacePollTime = parameters.Duration("WriteRacePollTime", TimeSpan.FromSeconds(1), Shortest),
        };
        if (!Uri.TryCreate(options.ContainerUrl, UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https"))
        {
            parameters.Fault("StorageBaseURL", $"with the account and container it gives '{options.ContainerUrl}', which is not a URL");
        }

        return options;
    }

    internal string ContainerUrl => StorageBaseURL.Contains("://", StringComparison.Ordinal)
        ? $"{StorageBaseURL.TrimEnd('/')}/{StorageAccountName}/{ContainerName}"
        : $"https://{StorageAccountName}.blob.{StorageBaseURL}/{ContainerName}";

    /// <summary>Without the secrets.</summary>
    public override string ToString() => DeviceId;
}
