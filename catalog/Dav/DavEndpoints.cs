using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using KeepFs.Catalog.Endpoints;
using KeepFs.Catalog.Permissions;
using KeepFs.Catalog.Records;
using KeepFs.Catalog.Storage;
using KeepFs.Engine.Catalog;
using KeepFs.Engine.Manifests;
using Microsoft.AspNetCore.Routing;

namespace KeepFs.Catalog.Dav;

/// <summary>
/// <c>/keepfs/v1/locks</c> and <c>/keepfs/v1/properties</c>: what WebDAV servers keep about collections. Whoever may read the collection may read them, whoever may
/// change it may change them; a token's scopes count as if the collection itself was asked for, so that sharing links work.
/// </summary>
internal sealed class DavEndpoints(CatalogContext catalog)
{
    private const string Locks = "/keepfs/v1/locks";
    private const string Properties = "/keepfs/v1/properties";

    public void Map(ApiPipeline api, IEndpointRouteBuilder routes)
    {
        api.Map(routes, "GET", Locks, ListLocksAsync, TokenNeed.AnyScope);
        api.Map(routes, "POST", Locks, AddLockAsync, TokenNeed.AnyScope);
        api.Map(routes, "PUT", Locks + "/{token}", RefreshLockAsync, TokenNeed.AnyScope);
        api.Map(routes, "DELETE", Locks + "/{token}", RemoveLockAsync, TokenNeed.AnyScope);
        api.Map(routes, "GET", Properties, ListPropertiesAsync, TokenNeed.AnyScope);
        api.Map(routes, "PUT", Properties, PatchPropertiesAsync, TokenNeed.AnyScope);
    }

    private async Task<ApiResult> ListLocksAsync(ApiRequest request, CancellationToken ct)
    {
        if (request.Parameters.Text("owner_uuid") is { } owner)
        {
            RequireScope(request, "GET", "");
            return Answer(
                await catalog.Database.ReadAsync(
                    session => new DavLockList { Items = DavLocks.OnRoots(session, OwnedWith(session, request.Caller, owner, "dav_locks")) }, ct),
                DavJson.Default.DavLockList);
        }

        var uuid = Uuid(request);
        RequireScope(request, "GET", uuid);
        return Answer(
            await catalog.Database.ReadAsync(
                session =>
                {
                    Readable(session, request.Caller, uuid);
                    return new DavLockList { Items = DavLocks.In(session, uuid) };
                },
                ct),
            DavJson.Default.DavLockList);
    }

    private async Task<ApiResult> AddLockAsync(ApiRequest request, CancellationToken ct)
    {
        var wish = Body(request, DavJson.Default.DavLockRequest);
        RequireScope(request, "PUT", wish.Lock.Uuid);
        Path(wish.Lock.Path);
        return Answer(
            await catalog.Database.WriteAsync(
                session =>
                {
                    Writable(session, request.Caller, wish.Lock.Uuid);
                    return DavLocks.Add(session, request.Caller, wish);
                },
                ct),
            DavJson.Default.DavLock);
    }

    private async Task<ApiResult> RefreshLockAsync(ApiRequest request, CancellationToken ct)
    {
        var (uuid, path) = (Uuid(request), Path(request.Parameters.Text("path")));
        RequireScope(request, "PUT", uuid);
        var seconds = request.Parameters.Integer("seconds") ?? long.MaxValue;
        var refreshed = await catalog.Database.WriteAsync(session => DavLocks.Refresh(session, request.Caller, Token(request), uuid, path, seconds), ct);
        return Answer(refreshed ?? throw ApiException.NotFound("There is no such lock"), DavJson.Default.DavLock);
    }

    private async Task<ApiResult> RemoveLockAsync(ApiRequest request, CancellationToken ct)
    {
        var (uuid, path) = (Uuid(request), Path(request.Parameters.Text("path")));
        RequireScope(request, "PUT", uuid);
        var removed = await catalog.Database.WriteAsync(session => DavLocks.Remove(session, request.Caller, Token(request), uuid, path), ct);
        return Answer(removed ?? throw ApiException.NotFound("There is no such lock"), DavJson.Default.DavLock);
    }

    private async Task<ApiResult> ListPropertiesAsync(ApiRequest request, CancellationToken ct)
    {
        var parameters = request.Parameters;
        if (parameters.Text("owner_uuid") is { } owner)
        {
            RequireScope(request, "GET", "");
            return Answer(
                await catalog.Database.ReadAsync(
                    session => DavProperties.PageOfRoots(session, OwnedWith(session, request.Caller, owner, "dav_properties"), parameters.Text("after") ?? ""), ct),
                DavJson.Default.DavPropertyPage);
        }

        var (uuid, path) = (Uuid(request), Path(parameters.Text("path")));
        RequireScope(request, "GET", uuid);
        var depth = parameters.Text("depth") switch
        {
            "0" or null => 0,
            "1" => 1,
            "infinity" => int.MaxValue,
            _ => throw ApiException.BadRequest("depth: must be 0, 1 or infinity"),
        };
        return Answer(
            await catalog.Database.ReadAsync(
                session =>
                {
                    Readable(session, request.Caller, uuid);
                    return DavProperties.Page(session, uuid, path, depth, parameters.Text("after"));
                },
                ct),
            DavJson.Default.DavPropertyPage);
    }

    private async Task<ApiResult> PatchPropertiesAsync(ApiRequest request, CancellationToken ct)
    {
        var patch = Body(request, DavJson.Default.DavPropertyPatch);
        RequireScope(request, "PUT", patch.Uuid);
        Path(patch.Path);
        await catalog.Database.WriteAsync(
            session =>
            {
                var row = Writable(session, request.Caller, patch.Uuid);
                if (row.Text("portable_data_hash") is { } now && !PortableDataHash.Matches(patch.IfPortableDataHash, now))
                {
                    throw ApiException.ContentChanged(now);
                }

                DavLocks.Require(DavLocks.In(session, patch.Uuid), request.Caller, new DavWrite { Path = patch.Path, Tokens = patch.Tokens });
                DavProperties.Patch(session, patch.Uuid, patch.Path, patch.Changes);
                return true;
            },
            ct);
        return Answer(new DavPropertyPage { Items = [] }, DavJson.Default.DavPropertyPage);
    }

    private static Row Readable(CatalogSession session, Caller caller, string uuid) =>
        RecordStore.FindVisible(
            session, Projection.Of(RecordTypes.Collections, ["uuid", "owner_uuid", "current_version_uuid", "portable_data_hash"], inList: false), uuid, caller, includeTrash: false)
        ?? throw ApiException.NotFound();

    private static Row Writable(CatalogSession session, Caller caller, string uuid)
    {
        Ownership.RequireActive(caller);
        var row = Readable(session, caller, uuid);
        if (row.Text("current_version_uuid") != uuid)
        {
            throw ApiException.Invalid("past versions of collections cannot be changed");
        }

        Ownership.RequireLevel(session, caller, row, AccessLevel.Write);
        Ownership.RequireNotFrozen(session, row.Text("owner_uuid"));
        return row;
    }

    /// <summary>Readable collections of an owner that have rows in the table for themselves, not only for what is in them.</summary>
    private static List<string> OwnedWith(CatalogSession session, Caller caller, string owner, string table)
    {
        var sql = session.Sql("SELECT t.uuid FROM collections t WHERE t.owner_uuid = ").Value(owner)
            .Append($" AND EXISTS (SELECT 1 FROM {table} d WHERE d.uuid = t.uuid AND length(d.path) = 0) AND ");
        Access.AppendVisible(sql, RecordTypes.Collections, caller, includeTrash: false, session.NowText);
        return [.. session.Rows(sql, RecordTypes.Collections).Select(row => row.Uuid)];
    }

    private static void RequireScope(ApiRequest request, string method, string uuid)
    {
        var path = uuid.Length == 0 ? "/arvados/v1/collections" : "/arvados/v1/collections/" + uuid;
        if (!TokenScopes.Allow(request.Caller.Scopes, method, path))
        {
            throw ApiException.Forbidden("Forbidden: the token's scopes do not cover this request");
        }
    }

    private static string Uuid(ApiRequest request) => request.Parameters.Text("uuid") ?? throw ApiException.BadRequest("uuid: must name a collection");

    private static string Token(ApiRequest request) => (string)request.Http.Request.RouteValues["token"]!;

    private static string Path(string? path)
    {
        try
        {
            return string.Join('/', ManifestTree.Components(path ?? ""));
        }
        catch (ManifestException e)
        {
            throw ApiException.BadRequest($"path: {e.Message}");
        }
    }

    private static T Body<T>(ApiRequest request, JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            return request.Parameters.Whole().Deserialize(type) ?? throw ApiException.BadRequest("the body must be a JSON object");
        }
        catch (JsonException e)
        {
            throw ApiException.BadRequest($"the body cannot be read: {e.Message}");
        }
    }

    private static DavResult<T> Answer<T>(T value, JsonTypeInfo<T> type) => new(value, type);

    /// <summary>An answer that is no record of the API.</summary>
    private sealed record DavResult<T>(T Value, JsonTypeInfo<T> Type) : ApiResult
    {
        public override ValueTask WriteAsync(Utf8JsonWriter writer, CancellationToken ct)
        {
            JsonSerializer.Serialize(writer, Value, Type);
            return ValueTask.CompletedTask;
        }
    }
}
