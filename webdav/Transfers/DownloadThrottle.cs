namespace KeepFs.WebDav.Transfers;

/// <summary>
/// A program that reads a file in parts is one download: a part that does not begin at 0 counts only when none of the same reader, path and file was
/// counted within the interval (keep-web.md 2.9). Safe for concurrent use.
/// </summary>
/// <param name="interval"><c>WebDAVLogDownloadInterval</c>; zero counts every part.</param>
/// <param name="time">The clock.</param>
internal sealed class DownloadThrottle(TimeSpan interval, TimeProvider time)
{
    /// <summary>Downloads that are remembered. With more of them within the interval some parts are counted again: too much in the log, never too little.</summary>
    internal const int MaxRemembered = 10_000;

    private readonly Lock _lock = new();
    private readonly Dictionary<(string Path, string Token, string Address, string Collection, string File), long> _counted = [];

    /// <summary>It is to be counted.</summary>
    public bool IsNew((string Path, string Token, string Address, string Collection, string File) download, long offset)
    {
        if (interval <= TimeSpan.Zero)
        {
            return true;
        }

        var now = time.GetTimestamp();
        lock (_lock)
        {
            if (offset > 0 && _counted.TryGetValue(download, out var last) && time.GetElapsedTime(last, now) < interval)
            {
                return false;
            }

            if (_counted.Count >= MaxRemembered)
            {
                foreach (var old in _counted.Where(entry => time.GetElapsedTime(entry.Value, now) >= interval).Select(entry => entry.Key).ToList())
                {
                    _counted.Remove(old);
                }

                if (_counted.Count >= MaxRemembered)
                {
                    _counted.Clear();
                }
            }

            _counted[download] = now;
            return true;
        }
    }
}
