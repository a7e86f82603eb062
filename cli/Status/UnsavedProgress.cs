using KeepFs.Cli.Output;
using KeepFs.Engine.FileSystems;

namespace KeepFs.Cli.Status;

/// <summary>While an unmount waits: every few seconds a line with what it waits for.</summary>
internal sealed class UnsavedProgress : IAsyncDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);
    private const int NamedFiles = 3;
    private readonly CancellationTokenSource _done = new();
    private readonly Task _telling;

    public UnsavedProgress(Func<IReadOnlyList<UnsavedCollection>> unsaved, Action<string> log) => _telling = TellAsync(unsaved, log);

    /// <summary>Such as <c>3 files, 120 MB not saved yet: c1/a, c1/b, c1/c (last error: ...)</c>.</summary>
    public static string Describe(IReadOnlyList<UnsavedCollection> unsaved)
    {
        var names = unsaved.SelectMany(collection => collection.Files.Select(file => $"{collection.Uuid}/{file.Path}")).Take(NamedFiles).ToList();
        var count = unsaved.Sum(collection => collection.FileCount);
        var errors = unsaved.Select(collection => collection.LastError).OfType<string>().Distinct().ToList();
        return (count > 0
                ? $"{count} files, {Readable.Bytes(unsaved.Sum(collection => collection.Bytes))} to upload, not saved yet: {string.Join(", ", names)}{(count > names.Count ? ", ..." : "")}"
                : $"names in {string.Join(", ", unsaved.Select(collection => collection.Uuid))} not saved yet")
            + (errors.Count > 0 ? $" (last error: {errors[0]})" : "");
    }

    public async ValueTask DisposeAsync()
    {
        await _done.CancelAsync();
        await _telling;
        _done.Dispose();
    }

    private async Task TellAsync(Func<IReadOnlyList<UnsavedCollection>> unsaved, Action<string> log)
    {
        using var timer = new PeriodicTimer(Interval);
        try
        {
            while (await timer.WaitForNextTickAsync(_done.Token))
            {
                if (unsaved() is { Count: > 0 } waiting)
                {
                    log("waiting: " + Describe(waiting));
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Everything is saved, or the wait is over.
        }
    }
}
