using System.Runtime.InteropServices;

namespace KeepFs.Cli.Supervise;

/// <summary>In a process that serves a held mount: its holder's SIGUSR1 asks it to make room for another one.</summary>
internal sealed class UpgradeSignal : IDisposable
{
    // User signal 1; .NET has no name for it. Not SIGHUP alone: nohup makes a program ignore that.
    internal const PosixSignal Number = (PosixSignal)10;

    private readonly SemaphoreSlim _asked = new(0);
    private readonly PosixSignalRegistration[] _registrations = [];

    /// <param name="isHeld">Else nobody asks, and the signal means what it always does.</param>
    public UpgradeSignal(bool isHeld)
    {
        if (isHeld)
        {
            // A terminal that goes away hangs up on all that it started.
            _registrations = [PosixSignalRegistration.Create(Number, Ask), PosixSignalRegistration.Create(PosixSignal.SIGHUP, Ask)];
        }
    }

    /// <summary>Ends when it is asked for once more.</summary>
    public Task AskedAsync(CancellationToken cancellationToken) => _asked.WaitAsync(cancellationToken);

    /// <inheritdoc/>
    public void Dispose()
    {
        Array.ForEach(_registrations, registration => registration.Dispose());
        _asked.Dispose();
    }

    private void Ask(PosixSignalContext context)
    {
        context.Cancel = true;
        _asked.Release();
    }
}
