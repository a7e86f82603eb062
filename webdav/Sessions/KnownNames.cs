namespace KeepFs.WebDav.Sessions;

/// <summary>Which collection had a name in a project. Only a hint: whoever uses it looks whether that is so still. Safe for concurrent use.</summary>
internal sealed class KnownNames
{
    /// <summary>More than a client works in at a time; then it starts again with none.</summary>
    private const int MaxNames = 1000;

    private readonly Lock _lock = new();
    private readonly Dictionary<(string Owner, string Name), string> _uuids = [];

    public string? Find(string owner, string name)
    {
        lock (_lock)
        {
            return _uuids.GetValueOrDefault((owner, name));
        }
    }

    public void Remember(string owner, string name, string uuid)
    {
        lock (_lock)
        {
            if (_uuids.Count >= MaxNames)
            {
                _uuids.Clear();
            }

            _uuids[(owner, name)] = uuid;
        }
    }
}
