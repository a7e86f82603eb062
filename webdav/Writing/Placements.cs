using KeepFs.Engine.Catalog;
using KeepFs.Engine.Manifests;
using KeepFs.WebDav.Dav;
using KeepFs.WebDav.Sessions;
using KeepFs.WebDav.Tree;

namespace KeepFs.WebDav.Writing;

/// <summary>
/// Puts files into collections without looking at what is there: the last writer of a path wins. Files that one user puts into one collection at the same
/// time are saved in one change, for a save costs as much as the collection is large, and a sync. Each is saved when its call returns. Safe for concurrent use.
/// </summary>
internal sealed class Placements
{
    private const int MaxFiles = 64;

    /// <summary>What <see cref="KnownPlaces"/> keeps.</summary>
    private static readonly string[] PresumedFields = ["uuid", "current_version_uuid", "replication_desired", "storage_classes_desired"];

    private readonly Gathering<(Session Session, string Uuid), Placement> _lines = new(atOnce: 1, MaxFiles, AreApart, SaveAsync);

    /// <summary>Saves a file at a path.</summary>
    /// <param name="session">Whose token saves.</param>
    /// <param name="uuid">The collection.</param>
    /// <param name="path">Without leading slash; missing parents are made.</param>
    /// <param name="file">Its blocks are signed for the same token.</param>
    /// <param name="write">For the locks; null: they do not matter.</param>
    /// <param name="cancellationToken">Gives up; the file may be saved all the same.</param>
    public Task SaveAsync(Session session, string uuid, string path, ManifestFile file, DavWrite? write, CancellationToken cancellationToken) =>
        _lines.DoAsync((session, uuid), new Placement(path, file, write), cancellationToken);

    /// <summary>Saves a file where it is presumed to belong; the catalogue checks that.</summary>
    /// <returns>There was a file before.</returns>
    /// <exception cref="CatalogException">It was not as presumed, and nothing is saved.</exception>
    public async Task<bool> SaveAsync(Session session, PresumedPlace place, ManifestFile file, CancellationToken cancellationToken)
    {
        var placement = new Placement(place.Path, file, new DavWrite { Path = place.Path, IsPut = true }) { Presumed = place };
        await _lines.DoAsync((session, place.Uuid), placement, cancellationToken);
        return placement.Existed;
    }

    /// <summary>Two changes of one path, or of a path and what is below it, mean something only one after the other.</summary>
    private static bool AreApart(IReadOnlyList<Placement> joined, Placement next) => joined.All(other =>
        !Covers(other.Path, next.Path) && !Covers(next.Path, other.Path) && (other.Write is null) == (next.Write is null) && HaveOneWay(other.Presumed, next.Presumed));

    private static bool HaveOneWay(PresumedPlace? one, PresumedPlace? other) =>
        ReferenceEquals(one, other) || (one is not null && other is not null && one.Expects.SequenceEqual(other.Expects));

    private static bool Covers(string path, string other) =>
        other.StartsWith(path, StringComparison.Ordinal) && (other.Length == path.Length || other[path.Length] == '/');

    private static async Task SaveAsync((Session Session, string Uuid) target, IReadOnlyList<Placement> placements)
    {
        try
        {
            await SaveTogetherAsync(target, placements);
            foreach (var placement in placements)
            {
                placement.Done.TrySetResult();
            }
        }
        catch (CatalogException e) when (placements.Count > 1 && e.Kind is not (CatalogErrorKind.Unavailable or CatalogErrorKind.Unauthorized))
        {
            // One of them was refused, and nothing was saved: each is to get its own answer.
            foreach (var placement in placements)
            {
                try
                {
                    await SaveTogetherAsync(target, [placement]);
                    placement.Done.TrySetResult();
                }
                catch (CatalogException refusal)
                {
                    placement.Done.TrySetException(refusal);
                }
            }
        }
    }

    private static async Task SaveTogetherAsync((Session Session, string Uuid) target, IReadOnlyList<Placement> placements)
    {
        var change = Changes.Place([.. placements.Select(placement => (placement.Path, placement.File))]).Guarded([.. placements.Select(placement => placement.Write)]);
        if (placements[0].Presumed is not { } presumed)
        {
            await CollectionUpdates.SaveAsync(target.Session, target.Uuid, change, CancellationToken.None);
            return;
        }

        change = change with { Dav = change.Dav! with { Expects = presumed.Expects }, Select = PresumedFields };
        var saved = await target.Session.Catalog.UpdateCollectionAsync(target.Uuid, change, CancellationToken.None);
        if (saved.DavState?.Length != placements.Count)
        {
            throw new CatalogException(CatalogErrorKind.Unavailable, "The catalogue saved a file and did not say what it replaced.");
        }

        for (var i = 0; i < placements.Count; i++)
        {
            placements[i].Existed = saved.DavState[i] == '1';
        }

        target.Session.Known.Remember(saved);
    }

    private sealed class Placement(string path, ManifestFile file, DavWrite? write) : GatheredItem
    {
        public string Path => path;

        public ManifestFile File => file;

        public DavWrite? Write => write;

        /// <summary>Not null: nobody looked at the place.</summary>
        public PresumedPlace? Presumed { get; init; }

        /// <summary>Found out by saving what was presumed.</summary>
        public bool Existed { get; set; }
    }
}
