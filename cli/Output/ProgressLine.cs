using System.Globalization;

namespace KeepFs.Cli.Output;

/// <summary>
/// One line on a terminal's standard error that shows bytes, rate and time left, redrawn a few times a second; nothing when standard error is
/// not a terminal. Safe for concurrent use.
/// </summary>
internal sealed class ProgressLine : IDisposable
{
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(200);
    private readonly string _what;
    private readonly long _startedAt = TimeProvider.System.GetTimestamp();
    private readonly Timer? _timer;
    private long _totalBytes;
    private long _doneBytes;
    private int _width;

    public ProgressLine(string what, bool isQuiet)
    {
        _what = what;
        if (!isQuiet && !Console.IsErrorRedirected)
        {
            _timer = new Timer(static state => ((ProgressLine)state!).Draw(), this, Period, Period);
        }
    }

    /// <summary>Time since the start.</summary>
    public TimeSpan Elapsed => TimeProvider.System.GetElapsedTime(_startedAt);

    public void SetTotal(long bytes) => Interlocked.Exchange(ref _totalBytes, bytes);

    public void Add(long bytes) => Interlocked.Add(ref _doneBytes, bytes);

    public void Dispose()
    {
        if (_timer is not null)
        {
            _timer.Dispose();
            Draw();
            Console.Error.WriteLine();
        }
    }

    private void Draw()
    {
        var (done, total) = (Interlocked.Read(ref _doneBytes), Interlocked.Read(ref _totalBytes));
        var seconds = Elapsed.TotalSeconds;
        var left = done > 0 && total > done ? TimeSpan.FromSeconds(seconds * (total - done) / done) : TimeSpan.Zero;
        var share = total > 0 ? string.Create(CultureInfo.InvariantCulture, $" of {Readable.Bytes(total)} ({100.0 * done / total:0}%)") : "";
        var line = $"{_what} {Readable.Bytes(done)}{share}, {Readable.Bytes(done / Math.Max(seconds, 0.001))}/s{(left > TimeSpan.Zero ? $", {left:h\\:mm\\:ss} left" : "")}";
        Console.Error.Write("\r" + line.PadRight(_width));
        _width = line.Length;
    }
}
