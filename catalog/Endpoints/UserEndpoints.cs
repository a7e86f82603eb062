using KeepFs.Catalog.Records;
using KeepFs.Catalog.Storage;
using KeepFs.Catalog.Users;
using Microsoft.AspNetCore.Routing;

namespace KeepFs.Catalog.Endpoints;

/// <summary><c>/arvados/v1/users</c> (catalog-api.md 9).</summary>
internal sealed class UserEndpoints(CatalogContext catalog, RecordEndpoints records)
{
    private const string Path = "/arvados/v1/users";

    private readonly UserWriter _writer = new(catalog);

    public void Map(ApiPipeline api, IEndpointRouteBuilder routes)
    {
        api.Map(routes, "GET", Path, (request, ct) => records.ListAsync(request, RecordTypes.Users, ct));
        api.Map(routes, "POST", Path, CreateAsync);
        api.Map(routes, "GET", Path + "/current", (request, ct) => FixedAsync(request, request.Caller.UserUuid, ct));
        api.Map(routes, "GET", Path + "/system", (request, ct) => FixedAsync(request, catalog.Uuids.SystemUser, ct));
        api.Map(routes, "GET", Path + "/{uuid}", (request, ct) => records.GetAsync(request, RecordTypes.Users, ct));
        api.Map(routes, "PUT", Path + "/{uuid}", UpdateAsync);
        api.Map(routes, "PATCH", Path + "/{uuid}", UpdateAsync);
        api.Map(routes, "DELETE", Path + "/{uuid}", DeleteAsync);
    }

    private async Task<ApiResult> CreateAsync(ApiRequest request, CancellationToken ct)
    {
        var uuid = await _writer.CreateAsync(request.Caller, request.Parameters.Attributes("user"), ct);
        return await records.ShowAsync(request, RecordTypes.Users, uuid, includeTrash: false, ct);
    }

    private async Task<ApiResult> UpdateAsync(ApiRequest request, CancellationToken ct)
    {
        var attributes = request.Parameters.Attributes("user");
        attributes.RemoveSame("uuid", request.Uuid);
        await _writer.UpdateAsync(request.Caller, request.Uuid, attributes, ct);
        return await records.ShowAsync(request, RecordTypes.Users, request.Uuid, includeTrash: false, ct);
    }

    private async Task<ApiResult> DeleteAsync(ApiRequest request, CancellationToken ct)
    {
        var shown = await records.ShowAsync(request, RecordTypes.Users, request.Uuid, includeTrash: false, ct);
        await _writer.DeleteAsync(request.Caller, request.Uuid, ct);
        return shown;
    }

    /// <summary>A user that every caller may see.</summary>
    private async Task<ApiResult> FixedAsync(ApiRequest request, string uuid, CancellationToken ct)
    {
        var projection = Projection.Of(RecordTypes.Users, request.Parameters.Names("select"), inList: false);
        var row = await catalog.Database.ReadAsync(
            session =>
            {
                var sql = session.Sql("SELECT ");
                projection.AppendColumns(sql, request.Caller);
                return session.Rows(sql.Append(" FROM users t WHERE t.uuid = ").Value(uuid), RecordTypes.Users).SingleOrDefault();
            },
            ct);
        return records.Show(row ?? throw ApiException.NotFound(), projection, request.Caller);
    }
}
