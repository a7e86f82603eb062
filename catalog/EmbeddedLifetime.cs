using Microsoft.Extensions.Hosting;

namespace KeepFs.Catalog;

/// <summary>Leaves signals alone: the program that composes the server decides when it stops.</summary>
internal sealed class EmbeddedLifetime : IHostLifetime
{
    public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
