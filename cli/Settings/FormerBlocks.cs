using KeepFs.Engine.Blocks;
using KeepFs.Engine.Client;
using KeepFs.Engine.FileSystems.Journal;

namespace KeepFs.Cli.Settings;

/// <summary>Reads blocks with the tokens of earlier processes; a client is made for each fetch, because that is needed once after a token changed.</summary>
internal sealed class FormerBlocks(Func<string, IBlockSource> connect) : IFormerBlocks
{
    public ValueTask FetchAsync(string token, Locator locator, BlockBuffer destination, CancellationToken cancellationToken) =>
        connect(token).FetchAsync(locator, destination, cancellationToken);
}
