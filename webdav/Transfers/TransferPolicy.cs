using KeepFs.Engine.Catalog;
using KeepFs.Hosting.Configuration;
using KeepFs.WebDav.Sessions;
using Microsoft.AspNetCore.Http;

namespace KeepFs.WebDav.Transfers;

/// <summary>
/// Whether a user may transfer file data through keep-web at all (<c>Collections.WebDAVPermission</c>, keep-web.md 2.9). A token that may not ask who
/// its user is, such as a sharing link's, counts as no administrator's. Safe for concurrent use.
/// </summary>
internal sealed class TransferPolicy(WebDAVPermissionConfig config)
{
    /// <exception cref="WebException">403.</exception>
    public ValueTask RequireDownloadAsync(Session session, CancellationToken cancellationToken) =>
        RequireAsync(config.User.Download, config.Admin.Download, session, cancellationToken);

    /// <exception cref="WebException">403.</exception>
    public ValueTask RequireUploadAsync(Session session, CancellationToken cancellationToken) =>
        RequireAsync(config.User.Upload, config.Admin.Upload, session, cancellationToken);

    private static async ValueTask RequireAsync(bool isForUsers, bool isForAdmins, Session session, CancellationToken cancellationToken)
    {
        if (isForUsers && isForAdmins)
        {
            return;
        }

        if (!(await IsAdminAsync(session, cancellationToken) ? isForAdmins : isForUsers))
        {
            throw new WebException(StatusCodes.Status403Forbidden, "Not permitted");
        }
    }

    private static async ValueTask<bool> IsAdminAsync(Session session, CancellationToken cancellationToken)
    {
        try
        {
            return (await session.GetUserAsync(cancellationToken)).IsAdmin;
        }
        catch (CatalogException e) when (e.Kind is CatalogErrorKind.Forbidden)
        {
            return false;
        }
    }
}
