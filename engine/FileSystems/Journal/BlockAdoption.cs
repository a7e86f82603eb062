using KeepFs.Engine.Blocks;
using KeepFs.Engine.Manifests;

namespace KeepFs.Engine.FileSystems.Journal;

/// <summary>
/// Blocks that a dead process stored under its token become ours: each is fetched with that token and stored again with the present one, because the catalogue
/// takes a manifest only with signatures made for its sender (manifests.md). Does nothing when the token is still the same. For one replay, one caller at a time.
/// </summary>
/// <param name="services">Stores them again.</param>
/// <param name="tokens">Earlier tokens and the present one, in the order to be tried; fewer than two: nothing to do.</param>
/// <param name="current">The collection as it is now: its blocks are signed for us.</param>
internal sealed class BlockAdoption(CollectionServices services, IReadOnlyList<string> tokens, ManifestIndex current)
{
    private readonly Dictionary<BlockHash, Locator> _ours = [];

    /// <summary>How many were fetched and stored again.</summary>
    public int Count { get; private set; }

    /// <summary>Nothing needs to be done.</summary>
    public bool IsIdle => tokens.Count < 2 || services.FormerBlocks is null;

    /// <summary>After <see cref="AdoptAsync"/>: the locator that is good for us.</summary>
    public Locator Adopted(Locator locator) => _ours.GetValueOrDefault(locator.Hash, locator);

    /// <inheritdoc cref="Adopted(Locator)"/>
    public ManifestSegment[] Adopted(ManifestSegment[] segments) =>
        IsIdle ? segments : Array.ConvertAll(segments, segment => segment with { Locator = Adopted(segment.Locator) });

    /// <summary>
    /// Makes the block one of ours. One that is gone or that none of the tokens can read stays as it is: it may belong to bytes that were overwritten later, and if
    /// not, the save says so and the chain waits.
    /// </summary>
    /// <exception cref="KeepException">It cannot be read or stored now.</exception>
    public async ValueTask AdoptAsync(Locator locator, CancellationToken cancellationToken)
    {
        if (IsIdle || _ours.ContainsKey(locator.Hash))
        {
            return;
        }

        if (_ours.Count == 0)
        {
            foreach (var block in current.Blocks)
            {
                _ours[block.Hash] = block;
            }

            if (_ours.ContainsKey(locator.Hash))
            {
                return;
            }
        }

        var buffer = await services.PackPool.RentAsync(locator.SizeBytes, cancellationToken);
        try
        {
            await FetchAsync(locator, buffer, cancellationToken);
            _ours[locator.Hash] = (await services.Store.WriteAsync(buffer.Memory, services.Options.Write, cancellationToken)).Locator;
            Count++;
        }
        catch (KeepException e) when (e.Kind is KeepErrorKind.NotFound or KeepErrorKind.PermissionDenied or KeepErrorKind.Corrupt)
        {
            _ours[locator.Hash] = locator;
            services.Log($"a block that an earlier mount stored cannot be taken over: {e.Message}");
        }
        finally
        {
            buffer.Release();
        }
    }

    private async ValueTask FetchAsync(Locator locator, BlockBuffer buffer, CancellationToken cancellationToken)
    {
        for (var i = 0; ; i++)
        {
            try
            {
                await services.FormerBlocks!.FetchAsync(tokens[i], locator, buffer, cancellationToken);
                return;
            }
            catch (KeepException e) when (e.Kind == KeepErrorKind.PermissionDenied && i + 1 < tokens.Count)
            {
                // It was stored under another one of them.
            }
        }
    }
}
