using System.Diagnostics;
using System.Net;
using System.Text;
using System.Text.Json;
using KeepFs.Testing.Volumes;

namespace KeepFs.Cli.Tests.Keepstore;

/// <summary>The real program, started through a link named <c>keepstore</c>.</summary>
public sealed class KeepstoreProgramTests : IDisposable
{
    private const string Foo = "acbd18db4cc2f85cedef654fccc4a4d8";
    private readonly TemporaryFolder _folder = new();
    private readonly TemporaryFolder _volume = new();
    private readonly HttpClient _client = new();

    public void Dispose()
    {
        _client.Dispose();
        _folder.Dispose();
        _volume.Dispose();
    }

    [Theory]
    [InlineData("keepstore", new[] { "-h" }, new[] { "keepstore", "--", "-h" })]
    [InlineData("/usr/bin/keepstore", new string[0], new[] { "keepstore", "--" })]
    [InlineData("./keepfs", new[] { "keepstore", "-h" }, new[] { "keepstore", "--", "-h" })]
    [InlineData("keepfs", new[] { "ls", "-h" }, new[] { "ls", "-h" })]
    public void Name_of_the_program_decides_about_its_arguments(string name, string[] arguments, string[] expected) =>
        Assert.Equal(expected, InvokedName.Prepare(arguments, name));

    [Fact]
    public async Task Flags_of_2016_serve_blocks_until_sigterm()
    {
        var (key, token, pid) = (Path.Join(_folder.Path, "key"), Path.Join(_folder.Path, "token"), Path.Join(_folder.Path, "pid"));
        await File.WriteAllTextAsync(key, "thekey\n");
        await File.WriteAllTextAsync(token, "thetoken\n");
        using var program = Start(
            "-enforce-permissions=true", "-blob-signing-key-file=" + key, "--data-manager-token-file", token, "-max-buffers=2", "-pid", pid, "-volume=" + _volume.Path, "-listen=127.0.0.1:0");
        var address = await ReadUntilAsync(program, "listening at ");

        // .NET would ask for a lock; other programs just read.
        using var cat = Process.Start(new ProcessStartInfo("cat", pid) { RedirectStandardOutput = true })!;
        Assert.Equal($"{program.Id}\n", await cat.StandardOutput.ReadToEndAsync());
        var locator = await SendAsync(HttpMethod.Put, $"http://{address}/{Foo}", "anybody", "foo");
        Assert.Equal("foo", await SendAsync(HttpMethod.Get, $"http://{address}/{locator.Trim()}", "anybody"));
        await SendAsync(HttpMethod.Get, $"http://{address}/{Foo}+3", "anybody", expected: HttpStatusCode.BadRequest);
        Assert.StartsWith($"{Foo}+3 ", await SendAsync(HttpMethod.Get, $"http://{address}/index", "thetoken"), StringComparison.Ordinal);
        await SendAsync(HttpMethod.Delete, $"http://{address}/{Foo}", "thetoken", expected: HttpStatusCode.MethodNotAllowed);
        using var status = JsonDocument.Parse(await SendAsync(HttpMethod.Get, $"http://{address}/status.json", null));
        Assert.Equal(_volume.Path, status.RootElement.GetProperty("volumes")[0].GetProperty("mount_point").GetString());
        Assert.Equal(2, status.RootElement.GetProperty("BufferPool").GetProperty("BuffersMax").GetInt32());

        using var second = Start("-pid", pid, "-volume=" + _volume.Path, "-listen=127.0.0.1:0");
        var refused = await second.StandardError.ReadToEndAsync();
        await second.WaitForExitAsync();
        Assert.Equal(1, second.ExitCode);
        Assert.Contains("pid file " + pid, refused, StringComparison.Ordinal);

        Process.Start("kill", ["-TERM", $"{program.Id}"]).Dispose();
        await program.StandardError.ReadToEndAsync();
        await program.WaitForExitAsync();
        Assert.Equal(0, program.ExitCode);
        Assert.False(File.Exists(pid));
    }

    [Fact]
    public async Task Configuration_file_is_served_without_status_json()
    {
        var config = Path.Join(_folder.Path, "config.yml");
        await File.WriteAllTextAsync(config, $$"""
            Clusters:
              zzzzz:
                SystemRootToken: thetoken
                Collections: {BlobSigningKey: thekey}
                Services:
                  Keepstore:
                    InternalURLs: {"http://127.0.0.1:25107": {ListenURL: "http://127.0.0.1:0"}, "http://192.0.2.1:25107": { } }
                Volumes:
                  zzzzz-nyw5e-000000000000000: {Driver: Directory, DriverParameters: {Root: "{{_volume.Path}}" } }
            """);
        using var program = Start("-config", config);
        var address = await ReadUntilAsync(program, "listening at ");

        Assert.Contains("zzzzz-nyw5e-000000000000000", await SendAsync(HttpMethod.Get, $"http://{address}/mounts", "thetoken"), StringComparison.Ordinal);
        await SendAsync(HttpMethod.Get, $"http://{address}/status.json", "thetoken", expected: HttpStatusCode.BadRequest);
        program.Kill();
        await program.WaitForExitAsync();
    }

    [Fact]
    public async Task Port_in_use_is_one_clear_line()
    {
        using var listener = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var program = Start("-volume=" + _volume.Path, "-listen=" + listener.LocalEndpoint);

        var lines = (await program.StandardError.ReadToEndAsync()).TrimEnd().Split('\n');
        await program.WaitForExitAsync();

        Assert.Equal(1, program.ExitCode);
        Assert.Contains("address already in use", lines[^1], StringComparison.Ordinal);
        Assert.Equal(3, lines.Length);
    }

    private Process Start(params string[] arguments)
    {
        var link = Path.Join(_folder.Path, "keepstore");
        if (!File.Exists(link))
        {
            File.CreateSymbolicLink(link, Path.Join(AppContext.BaseDirectory, "keepfs"));
        }

        return Process.Start(new ProcessStartInfo(link, arguments) { RedirectStandardError = true })!;
    }

    private static async Task<string> ReadUntilAsync(Process program, string marker)
    {
        var seen = new StringBuilder();
        while (await program.StandardError.ReadLineAsync() is { } line)
        {
            seen.AppendLine(line);
            if (line.IndexOf(marker, StringComparison.Ordinal) is >= 0 and var at)
            {
                return line[(at + marker.Length)..];
            }
        }

        throw new InvalidOperationException($"The program ended without \"{marker}\": {seen}");
    }

    private async Task<string> SendAsync(HttpMethod method, string url, string? token, string? body = null, HttpStatusCode expected = HttpStatusCode.OK)
    {
        using var request = new HttpRequestMessage(method, url) { Content = body is null ? null : new ByteArrayContent(Encoding.UTF8.GetBytes(body)) };
        if (token is not null)
        {
            request.Headers.TryAddWithoutValidation("Authorization", "OAuth2 " + token);
        }

        using var response = await _client.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(expected == response.StatusCode, $"{method} {url}: {(int)response.StatusCode} {text}");
        return text;
    }
}
