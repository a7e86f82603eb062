using KeepFs.Cli.Status;
using KeepFs.Engine.FileSystems.Journal;

namespace KeepFs.Cli.Settings;

/// <summary>Where mounts keep what is not saved yet.</summary>
internal static class JournalFolder
{
    /// <summary><c>$XDG_STATE_HOME/keepfs/journal</c>, normally <c>~/.local/state/keepfs/journal</c>: one folder for each user of each cluster.</summary>
    public static string Default(string clusterId, string userUuid) => Path.Combine(Root, $"{clusterId}-{userUuid}");

    /// <summary>Opens the given journal, or the one of the session's user.</summary>
    public static async Task<StagingJournal> OpenAsync(string? folder, ClientSession session, Action<string> log, CancellationToken cancellationToken)
    {
        folder ??= Default(session.Config.ClusterId, (await session.Catalog.GetCurrentUserAsync(cancellationToken)).Uuid);
        try
        {
            return StagingJournal.Open(folder, session.Token, new JournalOptions(), TimeProvider.System, log);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandException($"The journal in {folder}, where unsaved changes are kept, cannot be used: {e.Message}", 1, e);
        }
    }

    /// <summary>What dead processes left and no running mount works on.</summary>
    public static IReadOnlyList<WaitingStatus> Waiting() =>
    [
        .. Folders(Root).SelectMany(Folders).SelectMany(StagingJournal.Abandoned)
            .Select(chain => new WaitingStatus(chain.Uuid, chain.Folder, chain.Bytes, chain.LeftAt, chain.LastError, null)),
    ];

    private static string[] Folders(string folder) => Directory.Exists(folder) ? Directory.GetDirectories(folder) : [];

    /// <summary>All of them.</summary>
    public static string Root => Path.Combine(
        Environment.GetEnvironmentVariable("XDG_STATE_HOME") is { Length: > 0 } state ? state : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".local", "state"),
        "keepfs",
        "journal");
}
