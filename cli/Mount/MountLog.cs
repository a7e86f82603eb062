using System.Globalization;

namespace KeepFs.Cli.Mount;

/// <summary>Where the lines of a mount go: standard error, or with <c>--logfile</c> a file, each with its time. Safe for concurrent use.</summary>
internal sealed class MountLog : IDisposable
{
    private readonly Lock _lock = new();
    private readonly StreamWriter? _file;

    public MountLog(string? path)
    {
        try
        {
            _file = path is null ? null : new StreamWriter(new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite)) { AutoFlush = true };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandException($"--logfile {path} cannot be written: {e.Message}", 1, e);
        }
    }

    public void Write(string line)
    {
        if (_file is null)
        {
            Console.Error.WriteLine("keepfs: " + line);
            return;
        }

        lock (_lock)
        {
            try
            {
                _file.WriteLine($"{DateTimeOffset.Now.ToString("yyyy-MM-ddTHH:mm:ss.fffzzz", CultureInfo.InvariantCulture)} keepfs[{Environment.ProcessId}]: {line}");
            }
            catch (Exception e) when (e is IOException or ObjectDisposedException)
            {
                // A full disk must not end the mount.
            }
        }
    }

    public void Dispose() => _file?.Dispose();
}
