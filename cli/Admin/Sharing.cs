using System.Text.Json.Nodes;

namespace KeepFs.Cli.Admin;

/// <summary>Permission links of a record (catalog-api.md 11).</summary>
internal static class Sharing
{
    /// <summary>Gives exactly this level, be it more or less than before; returns the link.</summary>
    public static async Task<JsonObject> SetAsync(AdminApi api, string head, string tail, string level, CancellationToken ct)
    {
        foreach (var link in await LinksAsync(api, head, tail, ct))
        {
            return AdminApi.Text(link, "name") == level
                ? link
                : await api.SendAsync(HttpMethod.Put, $"links/{AdminApi.Text(link, "uuid")}", new JsonObject { ["link"] = new JsonObject { ["name"] = level } }, ct);
        }

        var wish = new JsonObject { ["link_class"] = "permission", ["name"] = level, ["tail_uuid"] = tail, ["head_uuid"] = head };
        return await api.SendAsync(HttpMethod.Post, "links", new JsonObject { ["link"] = wish }, ct);
    }

    /// <summary>False when there was nothing to end.</summary>
    public static async Task<bool> EndAsync(AdminApi api, string head, string tail, CancellationToken ct)
    {
        var links = await LinksAsync(api, head, tail, ct);
        foreach (var link in links)
        {
            await api.SendAsync(HttpMethod.Delete, $"links/{AdminApi.Text(link, "uuid")}", null, ct);
        }

        return links.Count > 0;
    }

    private static async Task<List<JsonObject>> LinksAsync(AdminApi api, string head, string tail, CancellationToken ct)
    {
        var filters = new JsonArray(
            new JsonArray("link_class", "=", "permission"),
            new JsonArray("name", "in", new JsonArray("can_read", "can_write", "can_manage")),
            new JsonArray("head_uuid", "=", head),
            new JsonArray("tail_uuid", "=", tail));
        var links = new List<JsonObject>();
        await foreach (var link in api.ListAsync("links", filters, "", ct))
        {
            links.Add(link);
        }

        return links;
    }
}
