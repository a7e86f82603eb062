using System.Globalization;

namespace KeepFs.Fuse.Tests;

/// <summary>
/// Mounting as an ordinary user, through fusermount3. As root, in a mount namespace of its own where /dev/fuse is open to everybody, as the
/// user nobody; as anybody else, as that user.
/// </summary>
public sealed class UserMountTests
{
    private static readonly string Host = Path.Combine(AppContext.BaseDirectory, "KeepFs.Fuse.MountHost.dll");

    [Fact]
    public async Task Ordinary_user_mounts_uses_and_unmounts()
    {
        var (exitCode, output) = await AsUserAsync(
            $$"""
            touch $d/out; (while [ ! -e $d/stop ]; do sleep 0.1; done) | dotnet {{Host}} $d/m > $d/out 2> $d/err &
            until grep -q ready $d/out || ! kill -0 $!; do sleep 0.1; done
            cd $d/m; echo hello > f; cat f; ls; grep -c " $d/m .*user_id=$(id -u)," /proc/self/mountinfo; cd /
            touch $d/stop; wait $!; cat $d/out; grep -v read-ahead $d/err || true
            """);

        Assert.Equal("hello\nf\n1\nready\nunmounted 0", output);
        Assert.Equal(0, exitCode);
    }

    [Fact]
    public async Task Missing_fusermount3_is_explained()
    {
        var (_, output) = await AsUserAsync($"PATH=$d:$(dirname $(readlink -f $(command -v dotnet))); dotnet {Host} $d/m");

        Assert.Contains("Install the package fuse3", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Letting_others_in_needs_the_line_in_the_configuration()
    {
        var (_, output) = await AsUserAsync($"dotnet {Host} $d/m --allow-other", "sed '/^user_allow_other/d' /etc/fuse.conf > $d/conf; mount --bind $d/conf /etc/fuse.conf");

        Assert.Contains("user_allow_other", output, StringComparison.Ordinal);
    }

    /// <summary>Runs a script with a directory $d and an empty one in it, $d/m; the preparation only as root.</summary>
    private static async Task<(int ExitCode, string Output)> AsUserAsync(string script, string preparation = "true")
    {
        var directory = Directory.CreateTempSubdirectory("keepfs-user-").FullName;
        try
        {
            await File.WriteAllTextAsync(Path.Combine(directory, "script"), $"set -e; export d={directory} HOME={directory} DOTNET_CLI_HOME={directory}\n{script}\n");
            Directory.CreateDirectory(Path.Combine(directory, "m"));
            if (Environment.IsPrivilegedProcess)
            {
                await File.WriteAllTextAsync(Path.Combine(directory, "root"), string.Create(CultureInfo.InvariantCulture, $$"""
                    set -e; d={{directory}}
                    mkdir $d/dev; mknod -m 666 $d/dev/fuse c 10 229; mount --bind $d/dev/fuse /dev/fuse
                    {{preparation}}
                    chmod 755 $d; chown -R nobody $d/m $d; exec runuser -u nobody -- bash $d/script
                    """));
            }

            return await MountHostProcess.ShellInAsync("/", Environment.IsPrivilegedProcess ? $"unshare -m bash {directory}/root" : $"bash {directory}/script");
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }
}
