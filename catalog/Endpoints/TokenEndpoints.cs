using System.Text.Json;
using KeepFs.Catalog.Permissions;
using KeepFs.Catalog.Records;
using KeepFs.Catalog.Requests;
using KeepFs.Catalog.Storage;
using KeepFs.Catalog.Tokens;
using Microsoft.AspNetCore.Routing;

namespace KeepFs.Catalog.Endpoints;

/// <summary><c>/arvados/v1/api_client_authorizations</c> (catalog-api.md 8).</summary>
internal sealed class TokenEndpoints(CatalogContext catalog, RecordEndpoints records)
{
    private const string Path = "/arvados/v1/api_client_authorizations";

    private readonly TokenWriter _writer = new(catalog);

    public void Map(ApiPipeline api, IEndpointRouteBuilder routes)
    {
        api.Map(routes, "GET", Path, ListAsync);
        api.Map(routes, "POST", Path, (request, ct) => CreateAsync(request, request.Parameters.Attributes("api_client_authorization"), ct));
        api.Map(routes, "POST", Path + "/create_system_auth", CreateSystemAsync);
        api.Map(routes, "GET", Path + "/current", CurrentAsync, TokenNeed.AnyScope);
        api.Map(routes, "GET", Path + "/{uuid}", GetAsync);
        api.Map(routes, "PUT", Path + "/{uuid}", UpdateAsync);
        api.Map(routes, "PATCH", Path + "/{uuid}", UpdateAsync);
        api.Map(routes, "DELETE", Path + "/{uuid}", DeleteAsync);
    }

    private async Task<ApiResult> CreateAsync(ApiRequest request, AttributeSet attributes, CancellationToken ct)
    {
        var (uuid, secret) = await _writer.CreateAsync(request.Caller, attributes, request.Address, ct);
        return await ShowWithSecretAsync(request, uuid, secret, ct);
    }

    private Task<ApiResult> CreateSystemAsync(ApiRequest request, CancellationToken ct)
    {
        if (!request.Caller.IsAdmin)
        {
            throw ApiException.Forbidden();
        }

        var attributes = new Dictionary<string, JsonElement>
        {
            ["owner_uuid"] = JsonSerializer.SerializeToElement(catalog.Uuids.SystemUser, WireJson.Default.String),
        };
        if (request.Parameters.Json("scopes") is { } scopes)
        {
            attributes["scopes"] = scopes;
        }

        return CreateAsync(request, new AttributeSet(attributes), ct);
    }

    // keep-web verifies the signatures of S3 clients with it, and has the root token.
    private async Task<ApiResult> GetAsync(ApiRequest request, CancellationToken ct) => request.Caller.IsSystem
        ? await ShowWithSecretAsync(request, request.Uuid, await _writer.RevealAsync(request.Uuid, ct), ct)
        : await records.GetAsync(request, RecordTypes.Tokens, ct);

    private async Task<ApiResult> UpdateAsync(ApiRequest request, CancellationToken ct)
    {
        var attributes = request.Parameters.Attributes("api_client_authorization");
        attributes.RemoveSame("uuid", request.Uuid);
        await _writer.UpdateAsync(request.Caller, request.Uuid, attributes, ct);
        return await records.ShowAsync(request, RecordTypes.Tokens, request.Uuid, includeTrash: false, ct);
    }

    private async Task<ApiResult> DeleteAsync(ApiRequest request, CancellationToken ct)
    {
        var shown = await records.ShowAsync(request, RecordTypes.Tokens, request.Uuid, includeTrash: false, ct);
        await _writer.DeleteAsync(request.Caller, request.Uuid, ct);
        return shown;
    }

    // Filters are few here, and the secret can only be compared by its hash.
    private Task<ApiResult> ListAsync(ApiRequest request, CancellationToken ct)
    {
        var filters = request.Parameters.Json("filters");
        if (filters is not { ValueKind: JsonValueKind.Array } list)
        {
            return records.ListAsync(request, RecordTypes.Tokens, ct);
        }

        foreach (var filter in list.EnumerateArray())
        {
            if (filter.ValueKind != JsonValueKind.Array || filter.GetArrayLength() != 3 || filter[1].ValueKind != JsonValueKind.String || !filter[1].ValueEquals("=")
                || filter[0].ValueKind != JsonValueKind.String || filter[0].GetString() is not ("uuid" or "api_token" or "scopes"))
            {
                throw ApiException.Invalid("filters: tokens can be found only by \"=\" on uuid, api_token or scopes");
            }
        }

        return records.ListAsync(request, RecordTypes.Tokens, ct, withoutFilters: true, restrict: sql =>
        {
            foreach (var filter in list.EnumerateArray())
            {
                sql.Append(" AND (");
                if (filter[0].ValueEquals("api_token"))
                {
                    sql.Append("t.secret_hash = ").Value(TokenSecrets.Hash(filter[2].ToString()));
                }
                else
                {
                    FilterCompiler.AppendOne(sql, RecordTypes.Tokens, filter);
                }

                sql.Append(")");
            }
        });
    }

    private async Task<ApiResult> CurrentAsync(ApiRequest request, CancellationToken ct)
    {
        var caller = request.Caller;
        var secret = request.Parameters.Has("remote") ? null : caller.TokenSecret;
        if (caller.TokenUuid != catalog.Uuids.SystemToken && caller.TokenUuid != catalog.Uuids.AnonymousToken)
        {
            return await ShowWithSecretAsync(request, caller.TokenUuid, secret, ct);
        }

        // These two stand in the configuration, not in the table.
        var row = new Row(RecordTypes.Tokens)
        {
            ["uuid"] = caller.TokenUuid,
            ["owner_uuid"] = caller.UserUuid,
            ["created_at"] = null,
            ["created_by_ip_address"] = null,
            ["expires_at"] = null,
            ["scopes"] = JsonSerializer.Serialize([.. caller.Scopes], WireJson.Default.StringArray),
            ["api_token"] = secret,
            [Row.Revision] = 0L,
        };
        return records.Show(row, Projection.Of(RecordTypes.Tokens, request.Parameters.Names("select"), inList: false), caller);
    }

    private async Task<ApiResult> ShowWithSecretAsync(ApiRequest request, string uuid, string? secret, CancellationToken ct)
    {
        var projection = Projection.Of(RecordTypes.Tokens, request.Parameters.Names("select"), inList: false);
        var row = await catalog.Database.ReadAsync(session => RecordStore.Find(session, RecordTypes.Tokens, uuid), ct) ?? throw ApiException.NotFound();
        row["api_token"] = secret;
        return records.Show(row, projection, request.Caller);
    }
}
