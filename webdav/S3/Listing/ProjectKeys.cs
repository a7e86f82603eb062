using System.Text;
using KeepFs.Engine.Catalog;

namespace KeepFs.WebDav.S3.Listing;

/// <summary>The keys of a project: <c>name/...</c> of its sub-projects and collections, each opened only when the walk comes into it.</summary>
/// <param name="list">The project's entries by name; asked once.</param>
/// <param name="open">The keys of one entry.</param>
/// <param name="hasFolders">S3FolderObjects: sub-projects, collections and directories are keys too.</param>
internal sealed class ProjectKeys(
    Func<CancellationToken, Task<IEnumerable<KeyValuePair<string, ProjectItem>>>> list, Func<ProjectItem, CancellationToken, ValueTask<KeyCursor?>> open, bool hasFolders) : KeyCursor
{
    private (byte[] Name, ProjectItem Item)[]? _entries;
    private int _at;
    private KeyCursor? _inside;
    private byte[] _key = [];

    public override ReadOnlySpan<byte> Key => _key;

    public override KeyEntry Entry => _inside?.Entry ?? new KeyEntry(0, _entries![_at].Item.ModifiedAt ?? DateTimeOffset.UnixEpoch, null);

    public override async ValueTask<bool> SeekAsync(ReadOnlyMemory<byte> key, CancellationToken cancellationToken)
    {
        _entries ??= [.. (await list(cancellationToken)).Select(entry => (Name: Encoding.UTF8.GetBytes(entry.Key + "/"), entry.Value))
            .OrderBy(entry => entry.Name, Comparer<byte[]>.Create(static (a, b) => a.AsSpan().SequenceCompareTo(b)))];
        var (low, high) = (0, _entries.Length);
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            (low, high) = _entries[middle].Name.AsSpan().SequenceCompareTo(key.Span) < 0 ? (middle + 1, high) : (low, middle);
        }

        if (low > 0 && key.Span.StartsWith(_entries[low - 1].Name))
        {
            _at = low - 1;
            if (await OpenAsync(key[_entries[_at].Name.Length..], cancellationToken))
            {
                return true;
            }
        }

        _at = low;
        return await EnterAsync(cancellationToken);
    }

    public override async ValueTask<bool> NextAsync(CancellationToken cancellationToken)
    {
        if (_inside is null ? await OpenAsync(default, cancellationToken) : Set(await _inside.NextAsync(cancellationToken)))
        {
            return true;
        }

        _at++;
        return await EnterAsync(cancellationToken);
    }

    /// <summary>The first key at or behind the current entry.</summary>
    private async ValueTask<bool> EnterAsync(CancellationToken cancellationToken)
    {
        for (; _at < _entries!.Length; _at++)
        {
            _inside = null;
            if (hasFolders)
            {
                _key = _entries[_at].Name;
                return true;
            }

            if (await OpenAsync(default, cancellationToken))
            {
                return true;
            }
        }

        return false;
    }

    private async ValueTask<bool> OpenAsync(ReadOnlyMemory<byte> key, CancellationToken cancellationToken)
    {
        _inside = await open(_entries![_at].Item, cancellationToken);
        return _inside is not null && Set(await _inside.SeekAsync(key, cancellationToken));
    }

    private bool Set(bool found)
    {
        if (found)
        {
            _key = [.. _entries![_at].Name, .. _inside!.Key];
        }

        return found;
    }
}
