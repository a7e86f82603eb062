using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;

namespace KeepFs.Conformance.Tests;

/// <summary>A real <c>keepfs keepstore</c> with one directory volume, and a client for it. It can be killed and started again.</summary>
internal sealed class KeepstoreDaemon : IAsyncDisposable
{
    private const string Token = "the-system-token";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);
    private readonly string _root;
    private readonly TestDisk? _disk;
    private readonly string _folder = Directory.CreateTempSubdirectory("keepfs-daemon-").FullName;
    private readonly StringBuilder _errors = new();
    private Process? _process;
    private HttpClient _http = new();

    private KeepstoreDaemon(string root, TestDisk? disk) => (_root, _disk) = (root, disk);

    /// <summary>What it wrote to standard error so far, over all starts.</summary>
    public string Errors
    {
        get
        {
            lock (_errors)
            {
                return _errors.ToString();
            }
        }
    }

    public string Url => _http.BaseAddress!.ToString();

    /// <summary>A file with the system token.</summary>
    public string TokenFile => Path.Combine(_folder, "token");

    public Process Process => _process ?? throw new InvalidOperationException("It is not running.");

    public static Task<KeepstoreDaemon> StartAsync(TestDisk disk) => StartAsync(new KeepstoreDaemon(disk.Root, disk));

    public static Task<KeepstoreDaemon> StartAsync(string root) => StartAsync(new KeepstoreDaemon(root, null));

    public async Task StartAgainAsync()
    {
        await File.WriteAllTextAsync(TokenFile, Token);
        string[] arguments = ["keepstore", "-volume=" + _root, "-listen=127.0.0.1:0", "-data-manager-token-file=" + TokenFile, "-never-delete=false"];
        var process = _disk is null
            ? Shell.Start(KeepFsProcess.Program, arguments, new Dictionary<string, string>(), _folder)
            : Shell.Start("nsenter", [.. _disk.Enter, KeepFsProcess.Program, .. arguments], new Dictionary<string, string>(), _folder);
        _process = process;
        var listening = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        process.ErrorDataReceived += (_, line) =>
        {
            lock (_errors)
            {
                _errors.AppendLine(line.Data);
            }

            if (line.Data is null)
            {
                listening.TrySetException(new InvalidOperationException($"keepfs keepstore ended:\n{Errors}"));
            }
            else if (line.Data.Split("listening at ") is [_, var address])
            {
                listening.TrySetResult(address);
            }
        };
        process.BeginErrorReadLine();
        process.BeginOutputReadLine();
        _http.Dispose();
        _http = new HttpClient { BaseAddress = new Uri($"http://{await listening.Task.WaitAsync(Limit)}/"), Timeout = Limit };
        _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("OAuth2", Token);
    }

    /// <summary>The status; null when the connection ended without one.</summary>
    public async Task<HttpStatusCode?> PutAsync(byte[] block) => (await TrySendAsync(HttpMethod.Put, Blocks.Hash(block), block))?.Status;

    public async Task<HttpStatusCode?> TouchAsync(string hash) => (await TrySendAsync(new HttpMethod("TOUCH"), hash, null))?.Status;

    public async Task<(HttpStatusCode Status, byte[] Body)> GetAsync(string hash, int size) =>
        await TrySendAsync(HttpMethod.Get, $"{hash}+{size}", null) ?? throw new HttpRequestException($"No answer to GET {hash}.\n{Errors}");

    public async Task AssertHasAsync(byte[] block)
    {
        var (status, body) = await GetAsync(Blocks.Hash(block), block.Length);
        Assert.True(status == HttpStatusCode.OK, $"GET {Blocks.Hash(block)}: {status}\n{Errors}");
        Assert.True(body.AsSpan().SequenceEqual(block));
    }

    /// <summary>Hash and size of every block, with its mtime; fails unless the listing is complete.</summary>
    public async Task<Dictionary<string, long>> IndexAsync()
    {
        var text = await _http.GetStringAsync("index");
        Assert.EndsWith("\n\n", "\n" + text, StringComparison.Ordinal);
        return text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(' ')).ToDictionary(parts => parts[0], parts => long.Parse(parts[1], CultureInfo.InvariantCulture));
    }

    public async Task<HttpStatusCode> IndexStatusAsync() => (await _http.GetAsync(new Uri("index", UriKind.Relative))).StatusCode;

    public async Task KillAsync()
    {
        Process.Kill();
        await Process.WaitForExitAsync().WaitAsync(Limit);
        Process.Dispose();
        _process = null;
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        if (_process is not null)
        {
            await KillAsync();
        }

        Directory.Delete(_folder, recursive: true);
    }

    private static async Task<KeepstoreDaemon> StartAsync(KeepstoreDaemon daemon)
    {
        try
        {
            await daemon.StartAgainAsync();
            return daemon;
        }
        catch
        {
            await daemon.DisposeAsync();
            throw;
        }
    }

    private async Task<(HttpStatusCode Status, byte[] Body)?> TrySendAsync(HttpMethod method, string path, byte[]? body)
    {
        using var request = new HttpRequestMessage(method, path) { Content = body is null ? null : new ByteArrayContent(body) };
        try
        {
            using var response = await _http.SendAsync(request);
            return (response.StatusCode, await response.Content.ReadAsByteArrayAsync());
        }
        catch (HttpRequestException)
        {
            return null;
        }
    }
}
