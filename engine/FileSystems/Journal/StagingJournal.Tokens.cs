namespace KeepFs.Engine.FileSystems.Journal;

/// <summary>Tokens: what the blocks that a journal refers to are signed for (decision 0018).</summary>
public sealed partial class StagingJournal
{
    private readonly string _token;

    /// <summary>What the blocks of a chain may be signed for: earlier tokens, the last one first, and ours.</summary>
    internal IReadOnlyList<string> TokensOf(PendingChain chain) =>
        [.. JournalTokens.Read(Path.GetDirectoryName(chain.Folder)!).Reverse().Where(token => token != _token).Append(_token)];

    /// <summary>Each folder names the tokens that its chains need, and this process's own one the present token, too.</summary>
    private void KeepTokens(IEnumerable<string> folders)
    {
        foreach (var folder in folders)
        {
            try
            {
                var isNeeded = _pending.Keys.Any(chain => Path.GetDirectoryName(chain.Folder) == folder);
                var needed = isNeeded ? JournalTokens.Read(folder).Where(token => token != _token) : [];
                JournalTokens.Write(folder, [.. needed, .. folder == _folder || isNeeded ? [_token] : Array.Empty<string>()]);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                Log($"the journal in {folder} cannot name the token that its blocks are stored with; keep the token until everything is saved: {e.Message}");
            }
        }
    }

    /// <summary>Everything is saved: no need to leave a token on the disk.</summary>
    private void ForgetToken()
    {
        try
        {
            if (!Chains(_folder).Any())
            {
                JournalTokens.Write(_folder, []);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Log($"journal: the token in {_folder} is not needed any more and cannot be removed: {e.Message}");
        }
    }
}
