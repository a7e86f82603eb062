using KeepFs.Catalog.Permissions;
using KeepFs.Catalog.Requests;
using Microsoft.AspNetCore.Http;

namespace KeepFs.Catalog.Endpoints;

/// <summary>A decoded request.</summary>
internal sealed record ApiRequest(HttpContext Http, RequestParameters Parameters, Caller? MaybeCaller)
{
    /// <summary>Who asks; only endpoints that need no token may meet none.</summary>
    public Caller Caller => MaybeCaller ?? throw ApiException.NotLoggedIn();

    /// <summary>The UUID, or portable data hash, in the path.</summary>
    public string Uuid => (string)Http.Request.RouteValues["uuid"]!;

    /// <exception cref="ApiException">403: the caller is no admin; the message says what only admins may do.</exception>
    public void RequireAdmin(string message = "only an admin may do that")
    {
        if (!Caller.IsAdmin)
        {
            throw ApiException.Forbidden(message);
        }
    }

    public string? Address => Http.Connection.RemoteIpAddress?.ToString();
}

/// <summary>Handles a request; faults are thrown as <see cref="ApiException"/>.</summary>
internal delegate Task<ApiResult> ApiHandler(ApiRequest request, CancellationToken ct);

/// <summary>Which token an endpoint needs.</summary>
internal enum TokenNeed
{
    /// <summary>A valid one whose scopes cover the request.</summary>
    InScope,

    /// <summary>A valid one, whatever its scopes.</summary>
    AnyScope,

    /// <summary>None.</summary>
    None,
}
