using KeepFs.Catalog.Collections;
using KeepFs.Catalog.Dav;
using KeepFs.Catalog.Records;
using KeepFs.Catalog.Requests;
using KeepFs.Engine.Manifests;
using Microsoft.AspNetCore.Routing;

namespace KeepFs.Catalog.Endpoints;

/// <summary><c>/arvados/v1/collections</c> (catalog-api.md 4 to 6).</summary>
internal sealed class CollectionEndpoints(CatalogContext catalog, RecordEndpoints records)
{
    private const string Path = "/arvados/v1/collections";
    private static readonly string[] ShownByHash = ["uuid", "portable_data_hash", "manifest_text", "trash_at"];

    private readonly CollectionWriter _writer = new(catalog);

    public void Map(ApiPipeline api, IEndpointRouteBuilder routes)
    {
        api.Map(routes, "GET", Path, (request, ct) => records.ListAsync(request, RecordTypes.Collections, ct));
        api.Map(routes, "POST", Path, CreateAsync);
        api.Map(routes, "GET", Path + "/{uuid}", GetAsync);
        api.Map(routes, "PUT", Path + "/{uuid}", UpdateAsync);
        api.Map(routes, "PATCH", Path + "/{uuid}", UpdateAsync);
        api.Map(routes, "DELETE", Path + "/{uuid}", (request, ct) => ThenShowAsync(request, _writer.DeleteAsync(request.Caller, request.Uuid, ct), ct));
        api.Map(routes, "POST", Path + "/{uuid}/trash", (request, ct) => ThenShowAsync(request, _writer.TrashAsync(request.Caller, request.Uuid, ct), ct));
        api.Map(routes, "POST", Path + "/{uuid}/untrash", (request, ct) => ThenShowAsync(
            request, _writer.UntrashAsync(request.Caller, request.Uuid, request.Parameters.Flag("ensure_unique_name"), ct), ct));
    }

    private async Task<ApiResult> CreateAsync(ApiRequest request, CancellationToken ct)
    {
        var uuid = await _writer.CreateAsync(request.Caller, request.Parameters.Attributes("collection"), Options(request.Parameters), ct);
        return await records.ShowAsync(request, RecordTypes.Collections, uuid, includeTrash: true, ct);
    }

    private async Task<ApiResult> UpdateAsync(ApiRequest request, CancellationToken ct)
    {
        var attributes = request.Parameters.Attributes("collection");
        attributes.RemoveSame("uuid", request.Uuid);
        var existing = await _writer.UpdateAsync(request.Caller, request.Uuid, attributes, Options(request.Parameters), ct);
        var shown = await records.ShowAsync(request, RecordTypes.Collections, request.Uuid, includeTrash: true, ct);
        return existing is null ? shown : DavState.Add(shown, existing);
    }

    private async Task<ApiResult> GetAsync(ApiRequest request, CancellationToken ct)
    {
        if (!PortableDataHash.IsPortableDataHash(request.Uuid))
        {
            var shown = await records.GetAsync(request, RecordTypes.Collections, ct);
            return request.Parameters.Flag(DavState.Name) ? await DavState.AddAsync(catalog, shown, request.Uuid, ct) : shown;
        }

        var row = await catalog.Database.ReadAsync(
            session => CollectionLookup.FindByHash(session, request.Uuid, request.Caller, request.Parameters.Flag("include_trash")), ct);
        return new ApiResult.Record(
            records.Presenter.PresentByHash(row ?? throw ApiException.NotFound(), request.Caller),
            [.. ShownByHash.Select(name => RecordTypes.Collections.Find(name)!)]);
    }

    private async Task<ApiResult> ThenShowAsync(ApiRequest request, Task change, CancellationToken ct)
    {
        await change;
        return await records.ShowAsync(request, RecordTypes.Collections, request.Uuid, includeTrash: true, ct);
    }

    private static CollectionOptions Options(RequestParameters parameters) => new()
    {
        EnsureUniqueName = parameters.Flag("ensure_unique_name"),
        IncludeTrash = parameters.Flag("include_trash"),
        IfPortableDataHash = parameters.Text("if_portable_data_hash"),
        Dav = DavState.Change(parameters),
        ReplaceFiles = parameters.Json("replace_files") is { } files ? new ReplaceFiles(files) : null,
        ReplaceSegments = parameters.Json("replace_segments") is { } segments ? new ReplaceSegments(segments) : null,
    };
}
