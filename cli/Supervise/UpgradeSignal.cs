using System.Runtime.InteropServices;

namespace KeepFs.Cli.Supervise;

/// <summary>In a process that serves a held mount: its holder's SIGHUP asks it to make room for another one.</summary>
internal sealed class UpgradeSignal : IDisposable
{
    private readonly SemaphoreSlim _asked = new(0);
    private readonly PosixSignalRegistration? _registration;

    /// <param name="isHeld">Else nobody asks, and SIGHUP means what it always does.</param>
    public UpgradeSignal(bool isHeld)
    {
        if (isHeld)
        {
            _registration = PosixSignalRegistration.Create(PosixSignal.SIGHUP, context =>
            {
                context.Cancel = true;
                _asked.Release();
            });
        }
    }

    /// <summary>Ends when it is asked for once more.</summary>
    public Task AskedAsync(CancellationToken cancellationToken) => _asked.WaitAsync(cancellationToken);

    /// <inheritdoc/>
    public void Dispose()
    {
        _registration?.Dispose();
        _asked.Dispose();
    }
}
