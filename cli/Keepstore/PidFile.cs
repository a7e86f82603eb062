using System.Globalization;

namespace KeepFs.Cli.Keepstore;

/// <summary>
/// A file with our process id, open and exclusively locked while we run, so that <c>fuser -k FILE</c> finds us and nobody starts
/// twice; removed at the end.
/// </summary>
internal sealed class PidFile : IDisposable
{
    private readonly string _path;
    private readonly FileStream _file;

    private PidFile(string path, FileStream file) => (_path, _file) = (path, file);

    /// <exception cref="CommandException">It cannot be opened, locked or written.</exception>
    public static PidFile Create(string path)
    {
        try
        {
            // On Linux FileShare.None is flock(LOCK_EX | LOCK_NB).
            var file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            try
            {
                file.SetLength(0);
                file.Write(System.Text.Encoding.ASCII.GetBytes(Environment.ProcessId.ToString(CultureInfo.InvariantCulture) + "\n"));
                file.Flush();
                return new PidFile(path, file);
            }
            catch
            {
                file.Dispose();
                throw;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandException($"pid file {path}: {e.Message}", 1, e);
        }
    }

    public void Dispose()
    {
        // First the name, then the lock: afterwards the name may be another process's.
        File.Delete(_path);
        _file.Dispose();
    }
}
