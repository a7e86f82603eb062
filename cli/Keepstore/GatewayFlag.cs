using KeepFs.Hosting.Configuration;

namespace KeepFs.Cli.Keepstore;

/// <summary>
/// The volume flag that makes the process a gateway to a bucket: <c>-volume=s3:MAPPINGS:BUCKET:CREDENTIALS</c> (keep-gateway.md 3).
/// </summary>
/// <param name="MappingsDir">Folder of the index.</param>
/// <param name="Bucket">The bucket, never written.</param>
/// <param name="CredentialsFile">Two lines, access key and secret key; empty = the machine's role.</param>
internal sealed record GatewayFlag(string MappingsDir, string Bucket, string CredentialsFile)
{
    private const string Scheme = "s3:";
    private const UnixFileMode Others =
        UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;

    public static bool IsOne(string text) => text.StartsWith(Scheme, StringComparison.Ordinal);

    /// <exception cref="FormatException">It has not exactly four fields, or one that cannot be.</exception>
    public static GatewayFlag Parse(string text)
    {
        if (text.Split(':') is not [_, var mappings, var bucket, var credentials])
        {
            throw new FormatException("must be s3:MAPPINGS_DIR:BUCKET:CREDENTIALS_FILE, the last may be empty");
        }

        return !Path.IsPathRooted(mappings) ? throw new FormatException("the mappings directory must be an absolute path")
            : !Directory.Exists(mappings) ? throw new FormatException($"there is no directory {mappings}")
            : bucket.Length == 0 ? throw new FormatException("names no bucket")
            : new GatewayFlag(mappings, bucket, credentials);
    }

    /// <summary>The same as a volume of a configuration.</summary>
    /// <exception cref="CommandException">The credentials cannot be used.</exception>
    public VolumeConfig ToVolume(string endpoint, string region)
    {
        var (access, secret) = ReadCredentials();
        return new VolumeConfig
        {
            Driver = GatewayDriver.S3,
            ReadOnly = true,
            DriverParameters = new Dictionary<string, string>
            {
                ["MappingsDir"] = MappingsDir,
                ["Bucket"] = Bucket,
                ["AccessKeyID"] = access,
                ["SecretAccessKey"] = secret,
                ["Endpoint"] = endpoint,
                ["Region"] = region.Length > 0 || endpoint.Length > 0 ? region : "us-east-1",

                // Other services than AWS rarely have a host name for each bucket.
                ["UsePathStyle"] = endpoint.Length > 0 ? "true" : "false",
            },
        };
    }

    private (string AccessKey, string SecretKey) ReadCredentials()
    {
        if (CredentialsFile.Length == 0)
        {
            return ("", "");
        }

        try
        {
            if ((File.GetUnixFileMode(CredentialsFile) & Others) != 0)
            {
                throw new CommandException($"{CredentialsFile} holds a secret, but others than its owner may access it: chmod 600 {CredentialsFile}");
            }

            return File.ReadAllText(CredentialsFile).Trim().Split('\n') is [var access, var secret] && access.Trim().Length > 0 && secret.Trim().Length > 0
                ? (access.Trim(), secret.Trim())
                : throw new CommandException($"{CredentialsFile} must have two lines: the access key and the secret key");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandException($"{CredentialsFile}: {e.Message}", 1, e);
        }
    }
}
