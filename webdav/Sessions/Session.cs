using KeepFs.Engine.Blocks;
using KeepFs.Engine.Catalog;

namespace KeepFs.WebDav.Sessions;

/// <summary>
/// One token: the catalogue and the keepstores as this token sees them, and who its user is. Safe for concurrent use. Whoever uses it holds a
/// <see cref="SessionLease"/>.
/// </summary>
internal sealed class Session(string token, ICatalog catalog, IDavCatalog dav, IPageCatalog page, SessionBlockStore blocks, ManifestCache manifests, TimeProvider time, TimeSpan lifetime)
{
    private volatile AskedUser? _user;

    /// <summary>Key of this session in caches; never logged.</summary>
    public string Token => token;

    public ICatalog Catalog => catalog;

    public IDavCatalog Dav => dav;

    public IPageCatalog Page => page;

    public IBlockStore Blocks => blocks;

    /// <summary>Where things were found.</summary>
    public KnownPlaces Known { get; } = new(time);

    /// <summary>The token's user if it was asked for lately.</summary>
    public User? KnownUser => _user is { } known && time.GetElapsedTime(known.AskedAt) < lifetime ? known.User : null;

    /// <summary>Requests that hold it now, changed under the table's lock.</summary>
    public int Users { get; set; }

    /// <summary>No longer in the table, changed under the table's lock.</summary>
    public bool IsEvicted { get; set; }

    /// <summary>The token's user, asked again after the session's lifetime.</summary>
    public async ValueTask<User> GetUserAsync(CancellationToken cancellationToken)
    {
        if (KnownUser is { } known)
        {
            return known;
        }

        var asked = time.GetTimestamp();
        var user = await catalog.GetCurrentUserAsync(cancellationToken);
        _user = new AskedUser(user, asked);
        return user;
    }

    /// <summary>A collection as it is now, or null when there is none that this token may read.</summary>
    /// <param name="id">UUID or portable data hash.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public ValueTask<OpenCollection?> OpenAsync(string id, CancellationToken cancellationToken) => manifests.OpenAsync(this, id, fresh: false, cancellationToken);

    /// <summary>Like <see cref="OpenAsync"/>, with newly signed locators.</summary>
    public ValueTask<OpenCollection?> ReopenAsync(string id, CancellationToken cancellationToken) => manifests.OpenAsync(this, id, fresh: true, cancellationToken);

    public void Close() => blocks.Close();

    private sealed record AskedUser(User User, long AskedAt);
}
