using System.Globalization;
using System.Net.Sockets;
using System.Text.Json;

namespace KeepFs.Cli.Status;

/// <summary>
/// Where a running mount can be asked for its state: a Unix socket that only its user can reach, <c>$XDG_RUNTIME_DIR/keepfs/PID.sock</c>. Whoever connects gets
/// one JSON object and the end of the stream.
/// </summary>
internal sealed class StatusSocket : IAsyncDisposable
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private static readonly TimeSpan AnswerLimit = TimeSpan.FromSeconds(5);

    private readonly Socket _socket;
    private readonly string _path;
    private readonly Func<MountStatus> _status;
    private readonly CancellationTokenSource _closing = new();
    private readonly Task _answering;

    private StatusSocket(Socket socket, string path, Func<MountStatus> status)
    {
        (_socket, _path, _status) = (socket, path, status);
        _answering = AnswerAsync();
    }

    /// <summary>The folder of the sockets; below the user's state folder where there is no <c>XDG_RUNTIME_DIR</c>.</summary>
    public static string Folder => Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR") is { Length: > 0 } runtime
        ? Path.Combine(runtime, "keepfs")
        : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".local", "state", "keepfs", "run");

    /// <summary>Starts answering; null, with a line in the log, when that is not possible: a mount works without it.</summary>
    public static StatusSocket? TryStart(Func<MountStatus> status, Action<string> log)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            Directory.CreateDirectory(Folder, OwnerOnly | UnixFileMode.UserExecute);
            var path = Path.Combine(Folder, string.Create(CultureInfo.InvariantCulture, $"{Environment.ProcessId}.sock"));
            for (var i = 1; File.Exists(path) && IsAlive(path); i++)
            {
                path = Path.Combine(Folder, string.Create(CultureInfo.InvariantCulture, $"{Environment.ProcessId}-{i}.sock"));
            }

            File.Delete(path);
            socket.Bind(new UnixDomainSocketEndPoint(path));
            File.SetUnixFileMode(path, OwnerOnly);
            socket.Listen();
            return new StatusSocket(socket, path, status);
        }
        catch (Exception e) when (e is SocketException or IOException or UnauthorizedAccessException or ArgumentException)
        {
            socket.Dispose();
            log($"`keepfs status` will not see this mount: {Folder}: {e.Message}");
            return null;
        }
    }

    /// <summary>Asks every running mount of this user. Sockets that nobody answers any more are removed.</summary>
    public static async Task<List<MountStatus>> AskAllAsync(CancellationToken cancellationToken)
    {
        var all = new List<MountStatus>();
        foreach (var path in Directory.Exists(Folder) ? Directory.GetFiles(Folder, "*.sock") : [])
        {
            try
            {
                using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
                limit.CancelAfter(AnswerLimit);
                using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), limit.Token);
                await using var stream = new NetworkStream(socket);
                all.Add(await JsonSerializer.DeserializeAsync(stream, StatusJson.Default.MountStatus, limit.Token) ?? throw new JsonException("empty"));
            }
            catch (SocketException e) when (e.SocketErrorCode is SocketError.ConnectionRefused or SocketError.AddressNotAvailable)
            {
                File.Delete(path);
            }
            catch (Exception e) when (e is SocketException or IOException or JsonException || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
            {
                Console.Error.WriteLine($"keepfs: the mount behind {path} does not answer: {e.Message}");
            }
        }

        return all;
    }

    public async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync();
        await _answering;
        _socket.Dispose();
        File.Delete(_path);
        _closing.Dispose();
    }

    private static bool IsAlive(string path)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Connect(new UnixDomainSocketEndPoint(path));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private async Task AnswerAsync()
    {
        while (!_closing.IsCancellationRequested)
        {
            try
            {
                using var client = await _socket.AcceptAsync(_closing.Token);
                await client.SendAsync(JsonSerializer.SerializeToUtf8Bytes(_status(), StatusJson.Default.MountStatus), _closing.Token).AsTask().WaitAsync(AnswerLimit, _closing.Token);
            }
            catch (Exception e) when (e is SocketException or OperationCanceledException or TimeoutException)
            {
                // The one who asked has gone, or we go.
            }
        }
    }
}
