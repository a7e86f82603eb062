namespace KeepFs.Cli.Keepstore;

/// <summary>The settings of one kind of object store as they stand at a place of the command line; volumes take a copy.</summary>
internal sealed class ObjectStoreFlags(int replication)
{
    private readonly Dictionary<string, string> _parameters = [];

    public int Replication { get; set; } = replication;

    public void Set(string parameter, string value) => _parameters[parameter] = value;

    /// <summary>The file is read at once, so that a FIFO may be given.</summary>
    public void SetFile(string parameter, string path) => Set(parameter, FlagConfig.ReadSecret(path));

    /// <summary>DriverParameters of a volume, of which some must have been set before.</summary>
    /// <exception cref="FormatException">One is missing.</exception>
    public Dictionary<string, string> With(string parameter, string name, params string[] required)
    {
        if (name.Length == 0)
        {
            throw new FormatException("must not be empty");
        }

        foreach (var missing in required.Where(key => _parameters.GetValueOrDefault(key) is not { Length: > 0 }))
        {
            throw new FormatException($"give {FlagOf(missing)} before it");
        }

        return new Dictionary<string, string>(_parameters) { [parameter] = name };
    }

    private static string FlagOf(string parameter) => parameter switch
    {
        "AccessKeyID" => "-s3-access-key-file",
        "SecretAccessKey" => "-s3-secret-key-file",
        "StorageAccountName" => "-azure-storage-account-name",
        _ => "-azure-storage-account-key-file",
    };
}
