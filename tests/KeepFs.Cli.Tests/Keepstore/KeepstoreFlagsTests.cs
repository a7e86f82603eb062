using KeepFs.Cli.Keepstore;
using KeepFs.Testing.Volumes;

namespace KeepFs.Cli.Tests.Keepstore;

public sealed class KeepstoreFlagsTests : IDisposable
{
    private readonly TemporaryFolder _one = new();
    private readonly TemporaryFolder _two = new();
    private readonly KeepstoreFlags _flags = new();

    public void Dispose()
    {
        _one.Dispose();
        _two.Dispose();
    }

    /// <summary>The list of seed 000, and what came later.</summary>
    [Fact]
    public void Usage_names_every_flag_of_2016_with_its_type_and_default()
    {
        var usage = GoFlagParser.Usage("./keepstore", _flags.All);

        var heads = usage.Split('\n').Where(line => line.StartsWith("  -", StringComparison.Ordinal)).Select(line => line.Trim());
        Assert.Equal(
            [
                "-azure-max-get-bytes int", "-azure-storage-account-key-file string", "-azure-storage-account-name string", "-azure-storage-container-volume value",
                "-azure-storage-replication int", "-blob-signature-ttl int", "-blob-signing-key-file string", "-config string", "-data-manager-token-file string",
                "-enforce-permissions", "-listen string", "-max-buffers int", "-max-requests int", "-never-delete", "-permission-key-file string",
                "-permission-ttl int", "-pid file", "-readonly", "-s3-access-key-file string", "-s3-bucket-volume value", "-s3-endpoint string", "-s3-region string",
                "-s3-replication int", "-s3-secret-key-file string", "-s3-unsafe-delete", "-serialize", "-trash-check-interval duration", "-trash-lifetime duration",
                "-url string", "-volume value", "-volumes value",
            ],
            heads);
        Assert.StartsWith("Usage of ./keepstore:\n", usage, StringComparison.Ordinal);
        foreach (var value in new[] { "67108864", "1209600", "\":25107\"", "128", "2 * max-buffers", "true", "24h0m0s", "[]" })
        {
            Assert.Contains($" (default {value})\n", usage, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Settings_apply_to_the_volumes_that_come_after_them()
    {
        Assert.True(Parse("-volume=" + _one.Path, "--readonly", "-serialize=true", "-volumes", $"{_two.Path},/tmp", "-readonly=false", "-volume=/usr"));

        Assert.Equal(
            [
                new VolumeFlag("Directory", _one.Path, false, false), new VolumeFlag("Directory", _two.Path, true, true),
                new VolumeFlag("Directory", "/tmp", true, true), new VolumeFlag("Directory", "/usr", false, true),
            ],
            _flags.Volumes);
    }

    [Fact]
    public void Synonyms_write_the_same_setting_and_the_last_one_wins()
    {
        Parse("-permission-ttl=60", "-blob-signature-ttl", "0x10", "-blob-signing-key-file=/a", "--permission-key-file", "/b");
        Assert.Equal((16, "/b"), (_flags.SignatureSeconds, _flags.SigningKeyFile));

        Parse("-permission-ttl=010");
        Assert.Equal(8, _flags.SignatureSeconds);
    }

    [Theory]
    [InlineData("-h")]
    [InlineData("--help")]
    [InlineData("-max-buffers=3", "-h", "-nonsense")]
    public void Help_ends_the_parsing(params string[] arguments) => Assert.False(Parse(arguments));

    [Theory]
    [InlineData("flag provided but not defined", "-nope")]
    [InlineData("flag needs an argument: -listen", "-listen")]
    [InlineData("unexpected argument \"true\"", "-readonly", "true")]
    [InlineData("unexpected argument \"--\"", "--")]
    [InlineData("unexpected argument \"-\"", "-")]
    [InlineData("bad flag syntax", "---listen=x")]
    [InlineData("bad flag syntax", "-=x")]
    [InlineData("invalid value \"x\" for flag -never-delete", "-never-delete=x")]
    [InlineData("invalid value \"\" for flag -max-buffers", "-max-buffers=")]
    [InlineData("invalid value \"0\" for flag -max-buffers", "-max-buffers=0")]
    [InlineData("invalid value \"99999999999\" for flag -max-requests", "-max-requests=99999999999")]
    [InlineData("invalid value \"09\" for flag -max-requests", "-max-requests=09")]
    [InlineData("invalid value \"3\" for flag -trash-lifetime", "-trash-lifetime", "3")]
    [InlineData("must be an absolute path", "-volume=relative")]
    [InlineData("there is no directory", "-volume=/no/such/place")]
    [InlineData("given twice", "-volume=/tmp", "-volume=/tmp")]
    [InlineData("must be s3:MAPPINGS_DIR:BUCKET:CREDENTIALS_FILE", "-volume=s3:/tmp:bucket")]
    [InlineData("must be s3:MAPPINGS_DIR:BUCKET:CREDENTIALS_FILE", "-volume=s3:/tmp:bucket:/file:more")]
    [InlineData("must be an absolute path", "-volume=s3:tmp:bucket:")]
    [InlineData("there is no directory", "-volume=s3:/no/such/place:bucket:")]
    [InlineData("names no bucket", "-volume=s3:/tmp::")]
    [InlineData("one was given before", "-volume=s3:/tmp:a:", "-volume=s3:/tmp:b:")]
    public void Mistake_is_named_and_ends_with_exit_code_2(string message, params string[] arguments)
    {
        var failure = Assert.Throws<CommandException>(() => Parse(arguments));

        Assert.Contains(message, failure.Message, StringComparison.Ordinal);
        Assert.Equal(2, failure.ExitCode);
    }

    [Fact]
    public void Flags_become_a_configuration_with_the_defaults_of_2016()
    {
        File.WriteAllText(Path.Join(_one.Path, "key"), " thekey\n");
        File.WriteAllText(Path.Join(_one.Path, "token"), "thetoken\n");
        Parse("-volume=" + _two.Path, "-blob-signing-key-file", Path.Join(_one.Path, "key"), "-data-manager-token-file", Path.Join(_one.Path, "token"), "-listen=10.0.1.24:8000");

        var (config, url, listen) = FlagConfig.Make(_flags, () => throw new InvalidOperationException("Not asked for."));

        Assert.Equal(("http://10.0.1.24:8000/", "10.0.1.24:8000"), (url, listen!.ToString()));
        Assert.Equal(("thetoken", "thekey", false, false), (config.SystemRootToken, config.Collections.BlobSigningKey, config.Collections.BlobSigning, config.Collections.BlobTrash));
        Assert.Equal((128, 256, 0), (config.API.MaxKeepBlobBuffers, config.API.MaxConcurrentRequests, config.API.MaxQueuedRequests));
        Assert.Equal((TimeSpan.FromDays(14), TimeSpan.Zero, TimeSpan.FromDays(1)), (config.Collections.BlobSigningTTL, config.Collections.BlobTrashLifetime, config.Collections.BlobTrashCheckInterval));
        Assert.Equal(_two.Path, config.Volumes.Values.Single().DriverParameters["Root"]);
        Assert.Equal(config.Volumes.Keys, FlagConfig.Make(_flags, () => []).Config.Volumes.Keys);
    }

    [Fact]
    public void Gateway_flag_becomes_a_gateway_with_one_volume()
    {
        var credentials = Path.Join(_one.Path, "credentials");
        File.WriteAllText(credentials, " access \n secret\n");
        File.SetUnixFileMode(credentials, UnixFileMode.UserRead);
        Parse("-s3-endpoint=http://s3.example:9000", $"-volume=s3:{_two.Path}:my-bucket:{credentials}", "-listen=10.0.1.24:8000");

        var (config, url, _) = FlagConfig.Make(_flags, () => throw new InvalidOperationException("Not asked for."));

        Assert.Equal([url], config.Services.Keepgw.InternalURLs.Keys);
        Assert.Empty(config.Services.Keepstore.InternalURLs);
        var volume = Assert.Single(config.Volumes.Values);
        Assert.Equal(("S3Gateway", "my-bucket", "access", "secret"), (volume.Driver, volume.DriverParameters["Bucket"], volume.DriverParameters["AccessKeyID"], volume.DriverParameters["SecretAccessKey"]));
        Assert.Equal(("http://s3.example:9000", _two.Path), (volume.DriverParameters["Endpoint"], volume.DriverParameters["MappingsDir"]));

        File.SetUnixFileMode(credentials, UnixFileMode.UserRead | UnixFileMode.GroupRead);
        Assert.Contains("chmod 600", Assert.Throws<CommandException>(() => FlagConfig.Make(_flags, () => [])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_a_token_file_the_system_token_is_one_that_nobody_knows()
    {
        Parse("-volume=" + _two.Path);

        var first = FlagConfig.Make(_flags, () => []).Config.SystemRootToken;

        Assert.Matches("^[0-9A-F]{64}$", first);
        Assert.NotEqual(first, FlagConfig.Make(_flags, () => []).Config.SystemRootToken);
    }

    [Theory]
    [InlineData("No volumes found", "-listen=:0")]
    [InlineData("needs a signing key", "-volume=/tmp", "-enforce-permissions")]
    [InlineData("has no other volumes", "-volume=/tmp", "-volume=s3:/tmp:bucket:")]
    [InlineData("/no/such/file", "-volume=/tmp", "-blob-signing-key-file=/no/such/file")]
    [InlineData("is empty", "-volume=/tmp", "-data-manager-token-file=/dev/null")]
    [InlineData("must be host:port", "-volume=/tmp", "-listen=25107")]
    [InlineData("must be host:port", "-volume=/tmp", "-listen=:65536")]
    public void What_cannot_be_served_is_said(string message, params string[] arguments)
    {
        Parse(arguments);

        Assert.Contains(message, Assert.Throws<CommandException>(() => FlagConfig.Make(_flags, () => [])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Object_stores_take_the_settings_before_them()
    {
        File.WriteAllText(Path.Join(_one.Path, "access"), "AK\n");
        File.WriteAllText(Path.Join(_one.Path, "secret"), "SK\n");
        File.WriteAllText(Path.Join(_one.Path, "azure"), "a2V5\n");
        Parse(
            "-s3-access-key-file", Path.Join(_one.Path, "access"), "-s3-secret-key-file", Path.Join(_one.Path, "secret"), "-s3-region=eu-west-1", "-s3-bucket-volume=first",
            "-s3-region=", "-s3-endpoint=https://s3.example", "-s3-replication=5", "-readonly", "-s3-bucket-volume=second", "-s3-unsafe-delete", "-readonly=false",
            "-azure-storage-account-name=acc", "-azure-storage-account-key-file", Path.Join(_one.Path, "azure"), "-azure-max-get-bytes=1000", "-azure-storage-container-volume=third");

        var config = FlagConfig.Make(_flags, () => []).Config;

        var volumes = config.Volumes.Values.ToDictionary(volume => volume.DriverParameters.GetValueOrDefault("Bucket") ?? volume.DriverParameters["ContainerName"]);
        Assert.Equal(("S3", 2, false), (volumes["first"].Driver, volumes["first"].Replication, volumes["first"].ReadOnly));
        Assert.Equal(
            [("AccessKeyID", "AK"), ("Bucket", "first"), ("Region", "eu-west-1"), ("SecretAccessKey", "SK"), ("UnsafeDelete", "true"), ("UsePathStyle", "false")],
            volumes["first"].DriverParameters.Select(entry => (entry.Key, entry.Value)).Order());
        Assert.Equal(("S3", 5, true), (volumes["second"].Driver, volumes["second"].Replication, volumes["second"].ReadOnly));
        Assert.Equal(("https://s3.example", "true"), (volumes["second"].DriverParameters["Endpoint"], volumes["second"].DriverParameters["UsePathStyle"]));
        Assert.Equal(("Azure", 3, false), (volumes["third"].Driver, volumes["third"].Replication, volumes["third"].ReadOnly));
        Assert.Equal(
            [("ContainerName", "third"), ("MaxGetBytes", "1000"), ("StorageAccountKey", "a2V5"), ("StorageAccountName", "acc")],
            volumes["third"].DriverParameters.Select(entry => (entry.Key, entry.Value)).Order());
        KeepFs.KeepstoreHost.KeepstoreServer.Create(config, config.Services.Keepstore.InternalURLs.Keys.Single(), new() { Listen = new(System.Net.IPAddress.Loopback, 0) });
    }

    [Theory]
    [InlineData("-s3-access-key-file", "-s3-bucket-volume=x")]
    [InlineData("-s3-secret-key-file", "-s3-access-key-file=KEY", "-s3-bucket-volume=x")]
    [InlineData("-s3-region or -s3-endpoint", "-s3-access-key-file=KEY", "-s3-secret-key-file=KEY", "-s3-bucket-volume=x")]
    [InlineData("not both", "-s3-access-key-file=KEY", "-s3-secret-key-file=KEY", "-s3-region=us-east-1", "-s3-endpoint=http://x", "-s3-bucket-volume=x")]
    [InlineData("no region of AWS", "-s3-access-key-file=KEY", "-s3-secret-key-file=KEY", "-s3-region=mars", "-s3-bucket-volume=x")]
    [InlineData("must not be empty", "-s3-access-key-file=KEY", "-s3-secret-key-file=KEY", "-s3-region=us-east-1", "-s3-bucket-volume=")]
    [InlineData("-azure-storage-account-name", "-azure-storage-account-key-file=KEY", "-azure-storage-container-volume=x")]
    [InlineData("-azure-storage-account-key-file", "-azure-storage-account-name=x", "-azure-storage-container-volume=x")]
    [InlineData("is empty", "-azure-storage-account-key-file=/dev/null")]
    public void Object_store_without_what_it_needs_is_refused(string message, params string[] arguments)
    {
        File.WriteAllText(Path.Join(_one.Path, "key"), "key\n");
        var real = arguments.Select(argument => argument.Replace("=KEY", "=" + Path.Join(_one.Path, "key"), StringComparison.Ordinal)).ToArray();

        Assert.Contains(message, Assert.Throws<CommandException>(() => Parse(real)).Message, StringComparison.Ordinal);
    }

    private bool Parse(params string[] arguments) => GoFlagParser.Parse(_flags.All, arguments);
}
