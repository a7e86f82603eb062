using KeepFs.Catalog.Endpoints;
using KeepFs.Catalog.Exchange;
using KeepFs.Catalog.Records;
using KeepFs.Engine.Blocks;
using Microsoft.AspNetCore.Routing;

namespace KeepFs.Catalog.Checkpoints;

/// <summary><c>POST /keepfs/v1/catalog/checkpoint</c>: an admin has one made now.</summary>
internal sealed class CheckpointEndpoint(Checkpointer checkpointer)
{
    public void Map(ApiPipeline api, IEndpointRouteBuilder routes) => api.MapUnlimited(routes, "POST", $"/{CatalogExchange.Path}/checkpoint", MakeAsync);

    private async Task<ApiResult> MakeAsync(ApiRequest request, CancellationToken ct)
    {
        request.RequireAdmin();
        var head = await checkpointer.MakeAsync(request.Parameters.Flag("full"), ct);
        var last = head.Parts[^1];
        return new ApiResult.Object(writer =>
        {
            writer.WriteNumber("sequence", head.Sequence);
            writer.WriteString("at", Timestamp.ToApi(head.At));
            writer.WriteBoolean("full", last.IsFull);
            writer.WriteNumber("records", last.Records);
            writer.WriteNumber("blocks", last.Blocks.Count);
            writer.WriteNumber("stored_bytes", last.Blocks.Sum(block => (long)Locator.Parse(block).SizeBytes));
            writer.WriteNumber("bytes", last.Bytes);
        });
    }
}
