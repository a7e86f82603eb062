using KeepFs.Engine.Catalog;

namespace KeepFs.WebDav.Dav;

/// <summary>Gives each entry of a listing its dead properties, reading them from the catalogue as the entries come.</summary>
internal sealed class DeadProperties : IAsyncDisposable
{
    private readonly IAsyncEnumerator<DavProperty>? _inOrder;
    private readonly ILookup<string, DavProperty>? _byCollection;
    private readonly List<DavProperty> _current = [];
    private bool _hasNext;

    private DeadProperties(IAsyncEnumerator<DavProperty>? inOrder, ILookup<string, DavProperty>? byCollection) => (_inOrder, _byCollection) = (inOrder, byCollection);

    /// <summary>Reads the first page, so that failures show before the answer begins.</summary>
    public static async Task<DeadProperties> OpenAsync(DavListing listing, CancellationToken cancellationToken)
    {
        if (listing.Properties is not { } properties)
        {
            return new DeadProperties(null, null);
        }

        if (listing.ArePropertiesByCollection)
        {
            var all = new List<DavProperty>();
            await foreach (var property in properties.WithCancellation(cancellationToken))
            {
                all.Add(property);
            }

            return new DeadProperties(null, all.ToLookup(property => property.Uuid!, StringComparer.Ordinal));
        }

        var inOrder = properties.GetAsyncEnumerator(cancellationToken);
        var opened = new DeadProperties(inOrder, null);
        try
        {
            opened._hasNext = await inOrder.MoveNextAsync();
        }
        catch
        {
            await inOrder.DisposeAsync();
            throw;
        }

        return opened;
    }

    /// <summary>Those of the next entry; valid until the next call.</summary>
    public ValueTask<IReadOnlyCollection<DavProperty>> OfAsync(in DavEntry entry) => _byCollection is not null
        ? new([.. _byCollection[entry.Uuid]])
        : _hasNext ? ReadAsync(entry.Path) : new([]);

    public ValueTask DisposeAsync() => _inOrder?.DisposeAsync() ?? default;

    private async ValueTask<IReadOnlyCollection<DavProperty>> ReadAsync(string path)
    {
        _current.Clear();
        while (_hasNext && TreeOrder.Instance.Compare(_inOrder!.Current.Path, path) is <= 0 and var order)
        {
            if (order == 0)
            {
                _current.Add(_inOrder.Current);
            }

            _hasNext = await _inOrder.MoveNextAsync();
        }

        return _current;
    }
}
