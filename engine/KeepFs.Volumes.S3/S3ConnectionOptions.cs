using KeepFs.Engine.Volumes;

namespace KeepFs.Volumes.S3;

/// <summary>How to reach one bucket: the part of the S3 DriverParameters (keepstore-http.md 11.2) that every user of a bucket needs.</summary>
public sealed record S3ConnectionOptions
{
    /// <summary>With an endpoint of its own, S3-compatible storage rarely cares; AWS does.</summary>
    private const string RegionOfEndpoints = "us-east-1";

    // Nobody waits less on purpose, and zero would mean that nothing ever works.
    private static readonly TimeSpan ShortestTimeout = TimeSpan.FromMilliseconds(1);

    /// <summary>The bucket, which must exist.</summary>
    public required string Bucket { get; init; }

    /// <summary>Empty together with the secret key: the role of this machine, or what else AWS's usual places hold.</summary>
    public string AccessKeyID { get; init; } = "";

    /// <summary>Never shown.</summary>
    public string SecretAccessKey { get; init; } = "";

    /// <summary>URL of the service; empty = AWS in <see cref="Region"/>.</summary>
    public string Endpoint { get; init; } = "";

    /// <summary>Signatures name it.</summary>
    public string Region { get; init; } = RegionOfEndpoints;

    /// <summary>The bucket is part of the path and not of the host name.</summary>
    public bool UsePathStyle { get; init; }

    /// <summary>Longest wait for a connection.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Longest time of one request, with all bytes and repetitions.</summary>
    public TimeSpan ReadTimeout { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Name of the storage, equal for equal storage.</summary>
    public string DeviceId => $"s3://{(Endpoint.Length > 0 ? Endpoint.TrimEnd('/') : Region)}/{Bucket}";

    /// <summary>Reads and checks the parameters; what is wrong is added to the faults.</summary>
    public static S3ConnectionOptions Parse(DriverParameters parameters)
    {
        var (endpoint, region) = (parameters.Text("Endpoint"), parameters.Text("Region"));
        if (endpoint.Length == 0 && region.Length == 0)
        {
            parameters.Fault("Region", "either Region or Endpoint is required");
        }

        if (endpoint.Length > 0 && !(Uri.TryCreate(endpoint, UriKind.Absolute, out var url) && url.Scheme is "http" or "https"))
        {
            parameters.Fault("Endpoint", $"'{endpoint}' is not an http or https URL");
        }

        var (accessKey, secretKey) = (parameters.Text("AccessKeyID"), parameters.Text("SecretAccessKey"));
        if (accessKey.Length == 0 != (secretKey.Length == 0))
        {
            parameters.Fault(accessKey.Length == 0 ? "AccessKeyID" : "SecretAccessKey", "give both keys, or none to use the role of this machine");
        }

        if (parameters.Boolean("V2Signature"))
        {
            parameters.Fault("V2Signature", "signatures of version 2 are not supported; remove it");
        }

        return new S3ConnectionOptions
        {
            Bucket = parameters.RequiredText("Bucket"),
            AccessKeyID = accessKey,
            SecretAccessKey = secretKey,
            Endpoint = endpoint,
            Region = region.Length > 0 ? region : RegionOfEndpoints,
            UsePathStyle = parameters.Boolean("UsePathStyle"),
            ConnectTimeout = parameters.Duration("ConnectTimeout", TimeSpan.FromMinutes(1), ShortestTimeout),
            ReadTimeout = parameters.Duration("ReadTimeout", TimeSpan.FromMinutes(10), ShortestTimeout),
        };
    }

    /// <summary>Without the secrets.</summary>
    public override string ToString() => DeviceId;
}
