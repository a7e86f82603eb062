using System.IO.Pipelines;

namespace KeepFs.Catalog.Exchange;

/// <summary>Writes every record, one JSON object a line, from one snapshot and with little memory (docs/catalog-export.md). Safe for concurrent use.</summary>
internal sealed class CatalogExport(CatalogContext catalog)
{
    public async Task WriteAsync(PipeWriter to, CancellationToken ct)
    {
        using var snapshot = await catalog.Database.OpenSnapshotAsync(ct);
        await using var lines = new ExportLines(catalog, to);
        await lines.BeginAsync(ct);
        foreach (var kind in ExchangeKinds.All)
        {
            await lines.WriteAsync(snapshot.Session, kind, condition: null, ct);
        }

        await lines.EndAsync(ct);
    }
}
