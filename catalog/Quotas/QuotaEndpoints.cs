using System.Text.Json;
using KeepFs.Catalog.Endpoints;
using KeepFs.Catalog.Logs;
using KeepFs.Catalog.Permissions;
using KeepFs.Catalog.Records;
using KeepFs.Catalog.Storage;
using Microsoft.AspNetCore.Routing;

namespace KeepFs.Catalog.Quotas;

/// <summary>
/// <c>/keepfs/v1/quotas</c> (admins) and <c>GET /keepfs/v1/usage/{uuid}</c> (who may read the user or project): limits, and what counts against them.
/// </summary>
internal sealed class QuotaEndpoints(CatalogContext catalog)
{
    private const string Path = "/keepfs/v1/quotas";
    private static readonly string[] Limits = ["soft_bytes", "hard_bytes", "soft_collections", "hard_collections"];

    public void Map(ApiPipeline api, IEndpointRouteBuilder routes)
    {
        api.Map(routes, "GET", Path, ListAsync);
        api.Map(routes, "PUT", Path + "/{uuid}", SetAsync);
        api.Map(routes, "DELETE", Path + "/{uuid}", RemoveAsync);
        api.Map(routes, "GET", "/keepfs/v1/usage/{uuid}", UsageAsync);
    }

    private async Task<ApiResult> ListAsync(ApiRequest request, CancellationToken ct)
    {
        request.RequireAdmin("only an admin may see and set quotas");
        var quotas = await catalog.Database.ReadAsync(
            session => session.Read($"SELECT {Quota.Columns} FROM quotas ORDER BY uuid", Quota.Read).Select(quota => (quota, OwnerUsage.Inside(session, quota.Uuid))).ToList(), ct);
        return new ApiResult.Object(writer =>
        {
            writer.WriteStartArray("items");
            foreach (var (quota, used) in quotas)
            {
                writer.WriteStartObject();
                Write(writer, quota, used);
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
        });
    }

    private async Task<ApiResult> SetAsync(ApiRequest request, CancellationToken ct)
    {
        request.RequireAdmin("only an admin may see and set quotas");
        var parameters = request.Parameters;
        var limits = Limits.Select(parameters.Integer).ToArray();
        if (limits.Any(limit => limit < 0))
        {
            throw ApiException.Invalid($"{string.Join(", ", Limits)}: must not be negative; leave one out for no limit");
        }

        if (limits[0] > limits[1] || limits[2] > limits[3])
        {
            throw ApiException.Invalid("a soft limit must not be above the hard one");
        }

        var (quota, used) = await catalog.Database.WriteAsync(
            session =>
            {
                var owner = RequireHolder(session, request.Uuid);
                var used = OwnerUsage.Inside(session, request.Uuid);
                var quota = new Quota(request.Uuid, limits[0], limits[1], limits[2], limits[3], null);
                quota = quota with { SoftSince = quota.IsOverSoft(used) ? session.NowText : null };
                session.Execute("DELETE FROM quotas WHERE uuid = @p0", request.Uuid);
                session.Execute($"INSERT INTO quotas ({Quota.Columns}) VALUES (@p0, @p1, @p2, @p3, @p4, @p5)", quota.Uuid, quota.SoftBytes, quota.HardBytes, quota.SoftCollections, quota.HardCollections, quota.SoftSince);
                Record(session, request.Caller, owner, parameters.Whole());
                return (quota, used);
            },
            ct);
        return new ApiResult.Object(writer => Write(writer, quota, used));
    }

    private async Task<ApiResult> RemoveAsync(ApiRequest request, CancellationToken ct)
    {
        request.RequireAdmin("only an admin may see and set quotas");
        await catalog.Database.WriteAsync(
            session =>
            {
                if (session.Execute("DELETE FROM quotas WHERE uuid = @p0", request.Uuid) == 0)
                {
                    throw ApiException.NotFound($"{request.Uuid} has no quota");
                }

                Record(session, request.Caller, RequireHolder(session, request.Uuid), request.Parameters.Whole());
                return true;
            },
            ct);
        return new ApiResult.Object(writer => writer.WriteString("uuid", request.Uuid));
    }

    private async Task<ApiResult> UsageAsync(ApiRequest request, CancellationToken ct)
    {
        var uuid = request.Uuid;
        var type = Uuids.IsUser(uuid) ? RecordTypes.Users : Uuids.IsGroup(uuid) ? RecordTypes.Groups : throw ApiException.NotFound();
        var (used, own, around) = await catalog.Database.ReadAsync(
            session =>
            {
                _ = RecordStore.FindVisible(session, Projection.Default(type, inList: true), uuid, request.Caller, includeTrash: true) ?? throw ApiException.NotFound();
                if (type == RecordTypes.Users && !request.Caller.IsAdmin && !request.Caller.ActsAs.Contains(uuid))
                {
                    // One sees other users' names, not what they have.
                    throw ApiException.Forbidden($"only an admin may see what {uuid} holds");
                }

                var around = QuotaCheck.Around(session, uuid).Select(quota => (Quota: quota, Used: OwnerUsage.Inside(session, quota.Uuid))).ToList();
                return (OwnerUsage.Inside(session, uuid), around.Select(entry => entry.Quota).FirstOrDefault(quota => quota.Uuid == uuid), around);
            },
            ct);
        return new ApiResult.Object(writer =>
        {
            Write(writer, own ?? new Quota(uuid, null, null, null, null, null), used);
            WriteLeft(writer, "available_bytes", around.Select(entry => entry.Quota.HardBytes - entry.Used.Bytes));
            WriteLeft(writer, "available_collections", around.Select(entry => entry.Quota.HardCollections - entry.Used.Collections));
        });
    }

    // Null when nothing around sets a limit.
    private static void WriteLeft(Utf8JsonWriter writer, string name, IEnumerable<long?> left)
    {
        if (left.Min() is { } least)
        {
            writer.WriteNumber(name, Math.Max(0, least));
        }
        else
        {
            writer.WriteNull(name);
        }
    }

    private static void Write(Utf8JsonWriter writer, Quota quota, (long Collections, long Bytes) used)
    {
        writer.WriteString("uuid", quota.Uuid);
        writer.WriteNumber("bytes", used.Bytes);
        writer.WriteNumber("collections", used.Collections);
        foreach (var (name, limit) in Limits.Zip([quota.SoftBytes, quota.HardBytes, quota.SoftCollections, quota.HardCollections]))
        {
            if (limit is { } value)
            {
                writer.WriteNumber(name, value);
            }
            else
            {
                writer.WriteNull(name);
            }
        }

        writer.WriteString("soft_since", quota.SoftSince is { } since ? Timestamp.ToApi(since) : null);
    }

    private void Record(WriteSession session, Caller caller, Row holder, JsonElement given) => AuditLog.AppendEvent(session, catalog.Uuids, caller, holder, "quota", given.GetRawText());

    private static Row RequireHolder(CatalogSession session, string uuid)
    {
        var type = Uuids.IsUser(uuid) ? RecordTypes.Users : Uuids.IsGroup(uuid) ? RecordTypes.Groups : throw ApiException.Invalid($"{uuid} is no user or project");
        var row = RecordStore.Find(session, type, uuid) ?? throw ApiException.NotFound();
        return type == RecordTypes.Users || row.Text("group_class") == "project" ? row : throw ApiException.Invalid($"{uuid} owns nothing: only users and projects have quotas");
    }
}
