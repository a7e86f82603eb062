using System.Diagnostics;
using System.Text;
using KeepFs.Testing.Volumes;

namespace KeepFs.WebDav.Tests;

/// <summary>Programs that people use, from /usr/bin; a missing one is a failure, not a skip.</summary>
public sealed class ClientTests(TestSite site) : IClassFixture<TestSite>
{
    [Theory]
    [InlineData("basic")]
    [InlineData("copymove")]
    [InlineData("props")]
    [InlineData("locks")]
    [InlineData("http")]
    public async Task Litmus_suite_passes_without_a_warning(string suite)
    {
        var uuid = await site.CreateCollectionAsync();
        using var folder = new TemporaryFolder();
        var (exit, output) = await RunAsync(folder, "litmus", null, [("TESTS", suite)], "-k", $"{site.Address}c={uuid}/", "user", site.Token);
        Assert.True(exit == 0, output);
        Assert.Matches($@"<- summary for `{suite}': of (\d+) tests run: \1 passed, 0 failed\. 100\.0%", output);
        Assert.DoesNotContain("WARNING", output, StringComparison.Ordinal);
        Assert.DoesNotContain("SKIPPED", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Curl_uploads_of_unknown_length_and_downloads_a_range()
    {
        var uuid = await site.CreateCollectionAsync();
        using var folder = new TemporaryFolder();
        var url = $"{site.Address}c={uuid}/dir%20%26%20%C3%A4.txt";
        var (exit, output) = await RunAsync(folder, "curl", "streamed content", [], "-sS", "-f", "-u", "u:" + site.Token, "-T", "-", url);
        Assert.True(exit == 0, output);
        (_, output) = await RunAsync(folder, "curl", null, [], "-sS", "-f", "-H", "Authorization: Bearer " + site.Token, "-r", "9-", url);
        Assert.Equal("content", output);
    }

    [Fact]
    public async Task Cadaver_works_in_a_collection()
    {
        var uuid = await site.CreateCollectionAsync();
        using var folder = new TemporaryFolder();
        File.WriteAllText(Path.Combine(folder.Path, "local.txt"), "from cadaver");
        File.WriteAllText(Path.Combine(folder.Path, ".netrc"), $"machine {site.Address.Host} login u password {site.Token}\n");
        var commands = "mkcol sub\ncd sub\nput local.txt\ncopy local.txt copy.txt\nmove local.txt moved.txt\nls\ncat moved.txt\ndelete copy.txt\nquit\n";
        var (_, output) = await RunAsync(folder, "cadaver", commands, [("HOME", folder.Path)], $"{site.Address}c={uuid}/");
        Assert.Contains("from cadaver", output, StringComparison.Ordinal);
        Assert.Equal("from cadaver", await site.GetTextAsync($"/c={uuid}/sub/moved.txt"));
        await site.ExpectAsync(404, "GET", $"/c={uuid}/sub/copy.txt");
        await site.ExpectAsync(404, "GET", $"/c={uuid}/sub/local.txt");
    }

    [Fact]
    public async Task Rclone_copies_lists_checks_and_deletes()
    {
        using var folder = new TemporaryFolder();
        var tree = Directory.CreateDirectory(Path.Combine(folder.Path, "tree/deep er/x#y"));
        for (var i = 0; i < 20; i++)
        {
            File.WriteAllText(Path.Combine(i % 2 == 0 ? tree.FullName : tree.Parent!.FullName, $"file {i} 100% & \"q\".txt"), new string('x', i * 1000));
        }

        var name = "rclone collection";
        await site.CreateCollectionAsync(name);
        (string, string)[] remote =
        [
            ("RCLONE_CONFIG", Path.Combine(folder.Path, "none.conf")), ("RCLONE_CONFIG_K_TYPE", "webdav"), ("RCLONE_CONFIG_K_URL", site.Address + "home"),
            ("RCLONE_CONFIG_K_BEARER_TOKEN", site.Token), ("RCLONE_CONFIG_K_VENDOR", "other"),
        ];
        var local = Path.Combine(folder.Path, "tree");
        await RcloneAsync("copy", local, $"k:{name}/in");
        await RcloneAsync("check", local, $"k:{name}/in");
        await RcloneAsync("check", "--download", local, $"k:{name}/in");
        Assert.Equal(20, (await RcloneAsync("lsf", "-R", "--files-only", $"k:{name}/in")).Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        await RcloneAsync("deletefile", $"k:{name}/in/deep er/x#y/file 0 100% & \"q\".txt");
        Assert.Equal(19, (await RcloneAsync("lsf", "-R", "--files-only", $"k:{name}/in")).Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        Assert.Contains(name + "/", await RcloneAsync("lsf", "k:"), StringComparison.Ordinal);
        await RcloneAsync("moveto", $"k:{name}", "k:renamed by rclone");
        Assert.Contains("renamed by rclone/", await RcloneAsync("lsf", "k:"), StringComparison.Ordinal);

        async Task<string> RcloneAsync(params string[] arguments)
        {
            var (exit, output) = await RunAsync(folder, "rclone", null, remote, [.. arguments, "--retries", "1", "--low-level-retries", "1"]);
            Assert.True(exit == 0, $"rclone {string.Join(' ', arguments)}: {output}");
            return output;
        }
    }

    private static async Task<(int Exit, string Output)> RunAsync(
        TemporaryFolder folder, string program, string? input, (string Name, string Value)[] environment, params string[] arguments)
    {
        var path = "/usr/bin/" + program;
        Assert.True(File.Exists(path), $"{path} is missing: install the package {program}.");
        var start = new ProcessStartInfo(path, arguments)
        {
            WorkingDirectory = folder.Path,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        using var process = Process.Start(start)!;
        var output = new StringBuilder();
        process.ErrorDataReceived += (_, line) =>
        {
            lock (output)
            {
                output.AppendLine(line.Data);
            }
        };
        process.BeginErrorReadLine();
        await process.StandardInput.WriteAsync(input ?? "");
        process.StandardInput.Close();
        var text = await process.StandardOutput.ReadToEndAsync();
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        await process.WaitForExitAsync(patience.Token);
        lock (output)
        {
            return (process.ExitCode, process.ExitCode == 0 ? text : text + output);
        }
    }
}
