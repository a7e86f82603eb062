using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using KeepFs.Cli.Doctor;
using KeepFs.Cli.Up;
using KeepFs.Engine.Volumes;
using KeepFs.Hosting.Configuration;
using KeepFs.KeepstoreHost;
using KeepFs.Testing.Volumes;

namespace KeepFs.Cli.Tests.Doctor;

/// <summary>Each fault is made for real, and must be found, named, and be the only one of its kind.</summary>
public sealed class DoctorTests : IDisposable
{
    private const string Secret = "0123456789abcdefghijklmnopqrstuvwxyz0123456789ABCD";
    private readonly TemporaryFolder _folder = new();

    public DoctorTests() => Directory.CreateDirectory(Volume);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Healthy_node_has_no_failures_and_exit_code_0()
    {
        var config = Config();
        await using var server = await StartAsync(config);

        var diagnosis = await ExamineAsync(config);

        Assert.DoesNotContain(diagnosis.Findings, finding => finding.Severity == Severity.Fail);
        Assert.Equal(0, diagnosis.ExitCode);
        Assert.Contains(diagnosis.Findings, finding => finding.Message == "accepts signatures that are made here");
        Assert.Contains(diagnosis.Findings, finding => finding.Message == "a file was written, synced, renamed and removed");
        Assert.Contains(diagnosis.Findings, finding => finding is { Area: "clock", Severity: Severity.Ok });
        Assert.Empty(Directory.EnumerateFileSystemEntries(Volume));
        Assert.DoesNotContain(Secret, diagnosis.ToText() + diagnosis.ToJson(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Configuration_with_faults_tells_all_of_them()
    {
        var file = Path.Combine(_folder.Path, "config.yml");
        await File.WriteAllTextAsync(file, "Clusters:\n  zzzzz:\n    API: {MaxItemsPerResponse: many}\n    Collections: {DefaultReplication: 0}\n");

        var diagnosis = await Examination.RunAsync(file, false, new DoctorTools(), default);

        Assert.Equal(1, diagnosis.ExitCode);
        Assert.Contains(diagnosis.Findings, finding => finding.Message.Contains("API.MaxItemsPerResponse", StringComparison.Ordinal));
        Assert.Contains(diagnosis.Findings, finding => finding.Message.Contains("Collections.DefaultReplication", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Configuration_that_is_not_there_is_a_failure()
    {
        var diagnosis = await Examination.RunAsync(Path.Combine(_folder.Path, "nowhere"), false, new DoctorTools(), default);
        Assert.Equal((1, "config"), (diagnosis.ExitCode, Assert.Single(diagnosis.Findings).Area));
    }

    [Fact]
    public async Task Nobody_listening_here_is_a_warning_and_elsewhere_a_failure()
    {
        Assert.Equal(Severity.Warn, One(await ExamineAsync(Config()), "nothing answers here").Severity);
        Assert.Equal(Severity.Fail, One(await ExamineAsync(Config(), new DoctorTools { IsHere = _ => false }), "does not answer").Severity);
    }

    [Fact]
    public async Task Another_signing_key_is_found()
    {
        var config = Config();
        await using var server = await StartAsync(config with { Collections = config.Collections with { BlobSigningKey = "x" + Secret } });

        Assert.Contains("BlobSigningKey", One(await ExamineAsync(config), "to a signature that was made here").Advice, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Another_system_token_and_management_token_are_found()
    {
        var config = Config();
        await using var server = await StartAsync(config with { SystemRootToken = "x" + Secret, ManagementToken = "y" + Secret });
        var diagnosis = await ExamineAsync(config);

        Assert.Equal(Severity.Fail, One(diagnosis, "does not accept SystemRootToken").Severity);
        Assert.Contains("ManagementToken", One(diagnosis, "the health check answers 403").Advice, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(-3600, Severity.Fail, "3600 s behind")]
    [InlineData(60, Severity.Warn, "60 s ahead of")]
    public async Task Clock_of_another_server_is_compared(int seconds, object severity, string message)
    {
        var now = new ManualTime();
        await using var server = new DatedServer(now.GetUtcNow().AddSeconds(seconds), 200);
        var config = Config() with { Services = new ServicesConfig { Keepstore = Urls(server.Url) } };

        Assert.Equal((Severity)severity, One(await ExamineAsync(config, new DoctorTools { Time = now }), message).Severity);
    }

    [Fact]
    public async Task Missing_volume_is_a_failure()
    {
        Directory.Delete(Volume);
        Assert.Equal("volume", One(await ExamineAsync(Config()), "is not there").Area);
    }

    [Fact]
    public async Task Volume_on_a_small_full_file_system_is_a_failure()
    {
        Assert.Equal(0, Run("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", Volume));
        try
        {
            await File.WriteAllBytesAsync(Path.Combine(Volume, "filler"), new byte[900 << 10]);
            Assert.Equal(Severity.Fail, One(await ExamineAsync(Config()), "is full").Severity);
            File.Delete(Path.Combine(Volume, "filler"));
            Run("mount", "-o", "remount,ro", Volume);
            var diagnosis = await ExamineAsync(Config());
            Assert.Equal(Severity.Fail, One(diagnosis, "mounted read-only").Severity);
            Assert.Equal(Severity.Fail, One(diagnosis, "cannot be written").Severity);
        }
        finally
        {
            Assert.Equal(0, Run("umount", Volume));
        }
    }

    [Fact]
    public async Task Mark_of_a_full_volume_and_leftovers_of_a_crash_are_found()
    {
        File.CreateSymbolicLink(Path.Combine(Volume, "full"), DateTimeOffset.UtcNow.ToUnixTimeSeconds().ToString(System.Globalization.CultureInfo.InvariantCulture));
        Directory.CreateDirectory(Path.Combine(Volume, "acb"));
        var leftover = Path.Combine(Volume, "acb", "tmpacbd");
        await File.WriteAllTextAsync(leftover, "half");
        File.SetLastWriteTimeUtc(leftover, DateTime.UtcNow.AddDays(-2));
        var diagnosis = await ExamineAsync(Config());

        One(diagnosis, "is marked as full");
        One(diagnosis, "1 temporary files are older than a day");
    }

    [Fact]
    public async Task Volume_that_everybody_may_write_or_that_is_another_users_is_a_warning()
    {
        File.SetUnixFileMode(Volume, (UnixFileMode)0b111_111_111);
        One(await ExamineAsync(Config()), "everybody on this machine may write");
        File.SetUnixFileMode(Volume, (UnixFileMode)0b111_101_101);
        Assert.Equal(0, Run("chown", "12345", Volume));
        One(await ExamineAsync(Config()), "belongs to user 12345");
    }

    [Fact]
    public async Task Disk_that_fails_at_the_last_step_is_a_failure_and_leaves_nothing()
    {
        var disk = new UnsyncableDisk();
        var diagnosis = await ExamineAsync(Config(), new DoctorTools { Disk = disk });

        Assert.Contains("the disk is dying", One(diagnosis, "cannot be written").Message, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(Volume));
    }

    [Fact]
    public async Task Short_keys_and_open_files_are_warnings_and_missing_keys_failures()
    {
        var config = Config() with { SystemRootToken = "secret", Collections = new CollectionsConfig { BlobSigningKey = "" } };
        var diagnosis = await ExamineAsync(config);
        Assert.Equal(Severity.Warn, diagnosis.Findings.Single(finding => finding.Subject.EndsWith("SystemRootToken", StringComparison.Ordinal)).Severity);
        Assert.Equal(Severity.Fail, diagnosis.Findings.Single(finding => finding.Subject.EndsWith("BlobSigningKey", StringComparison.Ordinal)).Severity);

        var file = Path.Combine(_folder.Path, "config.yml");
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.OtherRead);
        One(await Examination.RunAsync(file, false, new DoctorTools(), default), "everybody on this machine may read its secrets");
    }

    [Fact]
    public async Task Certificate_is_checked_for_its_end_and_its_names()
    {
        var (certificate, key) = SelfSigned.Create(["keep.example"], TimeProvider.System);
        var (certificateFile, keyFile) = (Path.Combine(_folder.Path, "c.pem"), Path.Combine(_folder.Path, "k.pem"));
        await File.WriteAllTextAsync(certificateFile, certificate);
        await File.WriteAllTextAsync(keyFile, key);
        var config = Config() with
        {
            TLS = new TlsConfig { Certificate = certificateFile, Key = "file://" + keyFile },
            Services = new ServicesConfig { Keepstore = Urls("https://127.0.0.1:1/") },
        };
        One(await ExamineAsync(config), "the certificate is valid until");
        One(await ExamineAsync(config), "does not name 127.0.0.1");

        var later = new ManualTime();
        later.Advance(TimeSpan.FromDays(5000));
        Assert.Equal(Severity.Fail, One(await ExamineAsync(config, new DoctorTools { Time = later }), "the certificate ended on").Severity);
        await File.WriteAllTextAsync(keyFile, "nonsense");
        Assert.Equal(Severity.Fail, (await ExamineAsync(config)).Findings.Single(finding => finding.Area == "tls").Severity);
    }

    [Fact]
    public async Task Limits_of_the_machine_are_read_from_proc()
    {
        var proc = Path.Combine(_folder.Path, "proc");
        Directory.CreateDirectory(Path.Combine(proc, "self"));
        Directory.CreateDirectory(Path.Combine(proc, "sys/net/core"));
        Directory.CreateDirectory(Path.Combine(proc, "sys/vm"));
        await File.WriteAllTextAsync(Path.Combine(proc, "self/limits"), "Limit                     Soft Limit           Hard Limit           Units     \nMax open files            256                  524288               files     \n");
        await File.WriteAllTextAsync(Path.Combine(proc, "sys/net/core/somaxconn"), "128\n");
        await File.WriteAllTextAsync(Path.Combine(proc, "sys/vm/overcommit_memory"), "2\n");
        var config = Config() with { API = new ApiConfig { MaxKeepBlobBuffers = 1 << 20 } };
        var diagnosis = await ExamineAsync(config, new DoctorTools { Proc = proc });

        One(diagnosis, "this shell allows 256");
        Assert.Equal("net.core.somaxconn", One(diagnosis, "is 128").Subject);
        One(diagnosis, "is 2");
        One(diagnosis, "1048576 buffers");
    }

    [Fact]
    public async Task Gateway_volumes_are_tried()
    {
        var config = Config();
        var gateway = new VolumeConfig { Driver = GatewayDriver.Directory, DriverParameters = new Dictionary<string, string> { ["Root"] = "/no/such/root", ["MappingsDir"] = _folder.Path } };
        var diagnosis = await ExamineAsync(config with { Volumes = config.Volumes.Append(new("zzzzz-nyw5e-111111111111111", gateway)).ToDictionary() });

        Assert.Equal(Severity.Fail, One(diagnosis, "/no/such/root").Severity);
    }

    [Fact]
    public async Task Json_holds_the_same()
    {
        var diagnosis = await ExamineAsync(Config());
        using var json = JsonDocument.Parse(diagnosis.ToJson());

        var checks = json.RootElement.GetProperty("checks").EnumerateArray().ToList();
        Assert.Equal(diagnosis.Findings.Select(finding => finding.Message), checks.Select(check => check.GetProperty("message").GetString()));
        Assert.All(checks, check => Assert.Contains(check.GetProperty("severity").GetString(), (string[])["Ok", "Warn", "Fail"]));
        Assert.Equal(diagnosis.Count(Severity.Warn), json.RootElement.GetProperty("warnings").GetInt32());
    }

    private string Volume => Path.Combine(_folder.Path, "volume");

    private static TcpListener FreePort()
    {
        var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return probe;
    }

    private ClusterConfig Config()
    {
        using var probe = FreePort();
        return new ClusterConfig
        {
            ClusterId = "zzzzz",
            SystemRootToken = Secret,
            ManagementToken = Secret,
            API = new ApiConfig { MaxKeepBlobBuffers = 4 },
            Collections = new CollectionsConfig { BlobSigningKey = Secret },
            Services = new ServicesConfig { Keepstore = Urls($"http://127.0.0.1:{((IPEndPoint)probe.LocalEndpoint).Port}/") },
            Volumes = new Dictionary<string, VolumeConfig> { ["zzzzz-nyw5e-000000000000000"] = new() { DriverParameters = new Dictionary<string, string> { ["Root"] = Volume } } },
        };
    }

    private async Task<Diagnosis> ExamineAsync(ClusterConfig config, DoctorTools? tools = null)
    {
        var file = Path.Combine(_folder.Path, "config.yml");
        File.Delete(file);
        using (var stream = new FileStream(file, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite }))
        {
            stream.Write(System.Text.Encoding.UTF8.GetBytes(ClusterConfigWriter.ToYaml(config)));
        }

        return await Examination.RunAsync(file, isUp: false, tools ?? new DoctorTools(), default);
    }

    private static async Task<KeepstoreServer> StartAsync(ClusterConfig config)
    {
        var url = config.Services.Keepstore.InternalURLs.Keys.Single();
        var server = KeepstoreServer.Create(config, url, new KeepstoreServerOptions());
        await server.StartAsync(default);
        return server;
    }

    private static Finding One(Diagnosis diagnosis, string part) =>
        Assert.Single(diagnosis.Findings, finding => finding.Message.Contains(part, StringComparison.Ordinal) || finding.Subject.Contains(part, StringComparison.Ordinal));

    private static ServiceConfig Urls(string url) => new() { InternalURLs = new Dictionary<string, InternalUrlConfig> { [url] = new() } };

    /// <summary>As root: by sudo where the tests are not, as check.sh does.</summary>
    private static int Run(params string[] command)
    {
        string[] all = Environment.IsPrivilegedProcess ? command : ["sudo", .. command];
        using var process = Process.Start(all[0], all[1..]);
        process.WaitForExit();
        return process.ExitCode;
    }

    /// <summary>The real disk, whose directories cannot be synced.</summary>
    private sealed class UnsyncableDisk : IDisk
    {
        private readonly PosixDisk _real = new();

        public IDiskFile Open(string path, DiskAccess access) => _real.Open(path, access);

        public DiskStat? Stat(string path) => _real.Stat(path);

        public IReadOnlyList<string> List(string directory) => _real.List(directory);

        public void CreateDirectory(string path) => _real.CreateDirectory(path);

        public void Rename(string from, string to) => _real.Rename(from, to);

        public void RenameToNew(string from, string to) => _real.RenameToNew(from, to);

        public void Delete(string path) => _real.Delete(path);

        public void SetTimes(string path, long unixNanoseconds) => _real.SetTimes(path, unixNanoseconds);

        public void SyncDirectory(string path) => throw new DiskException(DiskError.Other, "the disk is dying");

        public string? ReadLink(string path) => _real.ReadLink(path);

        public void CreateLink(string path, string text) => _real.CreateLink(path, text);

        public VolumeSpace? GetSpace(string path) => _real.GetSpace(path);

        public DiskPlace Locate(string path) => _real.Locate(path);

        public string? DescribeFileSystem(string path) => _real.DescribeFileSystem(path);

        public IDiskFileSystem? OpenFileSystem(string directory) => _real.OpenFileSystem(directory);
    }
}
