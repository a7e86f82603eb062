using KeepFs.Engine.Catalog;
using KeepFs.WebDav.Sessions;
using Microsoft.AspNetCore.Http;

namespace KeepFs.WebDav.Dav;

/// <summary>
/// Changes of a collection that depend on its state: decided on the current content, saved only if it still is the content. Writers of this process
/// take turns per collection, so that they need not outrun each other; writers elsewhere are met by deciding again. Safe for concurrent use.
/// </summary>
internal sealed class CollectionUpdates
{
    /// <summary>Changes by other processes that are followed before giving up; each try is one round trip to the catalogue or two.</summary>
    private const int MaxAttempts = 20;

    /// <summary>Fields that a save's answer needs; the manifest is not among them.</summary>
    private static readonly string[] AnswerFields = ["uuid", "portable_data_hash", "modified_at"];

    private readonly Lock _lock = new();
    private readonly Dictionary<string, Turn> _turns = new(StringComparer.Ordinal);

    /// <summary>Saves without looking at the state: the last writer of a path wins.</summary>
    public static Task<Collection> SaveAsync(Session session, string uuid, CollectionChange change, CancellationToken cancellationToken) =>
        session.Catalog.UpdateCollectionAsync(uuid, change with { Select = AnswerFields }, cancellationToken);

    /// <summary>Decides and saves until nobody came in between.</summary>
    /// <param name="session">Whose token saves.</param>
    /// <param name="uuid">The collection.</param>
    /// <param name="decide">Called with the current content, several times if need be; throws to refuse, null to leave it as it is.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task ApplyAsync(Session session, string uuid, Func<OpenCollection, CollectionChange?> decide, CancellationToken cancellationToken)
    {
        var turn = Take(uuid);
        try
        {
            await turn.Gate.WaitAsync(cancellationToken);
            try
            {
                await ApplyInTurnAsync(session, uuid, decide, cancellationToken);
            }
            finally
            {
                turn.Gate.Release();
            }
        }
        finally
        {
            Return(uuid, turn);
        }
    }

    private static async Task ApplyInTurnAsync(Session session, string uuid, Func<OpenCollection, CollectionChange?> decide, CancellationToken cancellationToken)
    {
        for (var attempt = 0; attempt < MaxAttempts; attempt++)
        {
            var current = await session.OpenAsync(uuid, cancellationToken) ?? throw new WebException(StatusCodes.Status404NotFound, "The collection is gone.");
            if (decide(current) is not { } change)
            {
                return;
            }

            try
            {
                await SaveAsync(session, uuid, change with { IfPortableDataHash = current.Record.PortableDataHash }, cancellationToken);
                return;
            }
            catch (CatalogException e) when (e.Kind == CatalogErrorKind.PreconditionFailed)
            {
                // Somebody else saved first; look again.
            }
        }

        throw new WebException(StatusCodes.Status503ServiceUnavailable, "The collection is being changed by many others; try again.");
    }

    private Turn Take(string uuid)
    {
        lock (_lock)
        {
            if (!_turns.TryGetValue(uuid, out var turn))
            {
                _turns.Add(uuid, turn = new Turn());
            }

            turn.Holders++;
            return turn;
        }
    }

    private void Return(string uuid, Turn turn)
    {
        lock (_lock)
        {
            if (--turn.Holders > 0)
            {
                return;
            }

            _turns.Remove(uuid);
        }

        turn.Gate.Dispose();
    }

    private sealed class Turn
    {
        public SemaphoreSlim Gate { get; } = new(1, 1);

        public int Holders { get; set; }
    }
}
