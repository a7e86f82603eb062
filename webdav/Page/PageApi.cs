using System.Text.Json;
using System.Text.Json.Nodes;
using KeepFs.Engine.Catalog;
using KeepFs.WebDav.Sessions;
using KeepFs.WebDav.Tree;
using Microsoft.AspNetCore.Http;

namespace KeepFs.WebDav.Page;

/// <summary>What the page's script asks beside WebDAV: versions, undoing, sharing. Everything is done with the user's token, so the catalogue decides what is allowed.</summary>
/// <param name="keepsVersions">Collections.CollectionVersioning.</param>
/// <param name="time">When links expire.</param>
internal sealed class PageApi(bool keepsVersions, TimeProvider time)
{
    private const int MaxShareHours = 24 * 366;

    /// <summary>The answer as JSON, or null when there is no such request.</summary>
    public Task<string?> HandleAsync(string name, Session session, byte[] body, CancellationToken cancellationToken)
    {
        JsonElement given;
        try
        {
            using var document = JsonDocument.Parse(body);
            given = document.RootElement.Clone();
        }
        catch (JsonException)
        {
            throw Bad("The body is not JSON.");
        }

        return name switch
        {
            "versions" => VersionsAsync(session, CollectionOf(given, "uuid"), cancellationToken),
            "keep" => KeepAsync(session, CollectionOf(given, "uuid"), cancellationToken),
            "restore" => RestoreAsync(session, CollectionOf(given, "uuid"), CollectionOf(given, "version"), cancellationToken),
            "untrash" => UntrashAsync(session, TextOf(given, "uuid"), cancellationToken),
            "share" => ShareAsync(session, CollectionOf(given, "uuid"), given, cancellationToken),
            _ => Task.FromResult<string?>(null),
        };
    }

    private static async Task<string?> VersionsAsync(Session session, string uuid, CancellationToken cancellationToken)
    {
        var versions = await session.Catalog.ListVersionsAsync(uuid, cancellationToken);
        return new JsonArray([.. versions.Select(version => new JsonObject
        {
            ["uuid"] = version.Uuid,
            ["version"] = version.Version,
            ["modified_at"] = version.ModifiedAt?.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", System.Globalization.CultureInfo.InvariantCulture),
            ["current"] = version.Uuid == version.CurrentVersionUuid,
        })]).ToJsonString();
    }

    /// <summary>The next change keeps what was before it: what the page deletes can be had back.</summary>
    private async Task<string?> KeepAsync(Session session, string uuid, CancellationToken cancellationToken)
    {
        if (!keepsVersions)
        {
            throw new WebException(StatusCodes.Status409Conflict, "This cluster keeps no versions.");
        }

        await PreserveAsync(session, uuid, cancellationToken);
        return "{}";
    }

    /// <summary>The content of an old version becomes the content; what it replaces is kept as a version.</summary>
    private static async Task<string?> RestoreAsync(Session session, string uuid, string version, CancellationToken cancellationToken)
    {
        var old = await session.Catalog.FindCollectionAsync(version, null, cancellationToken);
        if (old is null || old.CurrentVersionUuid != uuid)
        {
            throw new WebException(StatusCodes.Status404NotFound, "There is no such version.");
        }

        await PreserveAsync(session, uuid, cancellationToken);
        await session.Catalog.UpdateCollectionAsync(
            uuid, new CollectionChange { Collection = new CollectionWrite { ManifestText = old.ManifestText }, Select = ["uuid"] }, cancellationToken);
        return "{}";
    }

    private static async Task<string?> UntrashAsync(Session session, string uuid, CancellationToken cancellationToken)
    {
        if (!SitePath.IsCollectionId(uuid) && !SitePath.IsGroupId(uuid))
        {
            throw Bad("uuid must be that of a collection or project.");
        }

        await session.Page.UntrashAsync(uuid, cancellationToken);
        return "{}";
    }

    /// <summary>A token that can read this collection and nothing else (catalog-api.md section 8).</summary>
    private async Task<string?> ShareAsync(Session session, string uuid, JsonElement given, CancellationToken cancellationToken)
    {
        var hours = given.TryGetProperty("hours", out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) ? number : 0;
        if (hours is < 1 or > MaxShareHours)
        {
            throw Bad("hours must be between 1 and 8784.");
        }

        // A link that cannot be used must not be handed out.
        if (await session.Catalog.FindCollectionAsync(uuid, ["uuid"], cancellationToken) is null)
        {
            throw new WebException(StatusCodes.Status404NotFound, "There is no such collection.");
        }

        var expires = time.GetUtcNow().AddHours(hours);
        var token = await session.Page.CreateTokenAsync(
            [$"GET /arvados/v1/collections/{uuid}", $"GET /arvados/v1/collections/{uuid}/", "GET /arvados/v1/keep_services/accessible"], expires, cancellationToken);
        return new JsonObject
        {
            ["path"] = $"/c={uuid}/t={Uri.EscapeDataString(token)}/",
            ["expires_at"] = expires.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", System.Globalization.CultureInfo.InvariantCulture),
        }.ToJsonString();
    }

    private static async Task PreserveAsync(Session session, string uuid, CancellationToken cancellationToken) => _ = await session.Catalog.UpdateCollectionAsync(
        uuid, new CollectionChange { Collection = new CollectionWrite { PreserveVersion = true }, Select = ["uuid"] }, cancellationToken);

    private static string CollectionOf(JsonElement given, string name) =>
        TextOf(given, name) is var text && text.Length == 27 && SitePath.IsCollectionId(text) ? text : throw Bad($"{name} must be that of a collection.");

    private static string TextOf(JsonElement given, string name) =>
        given.ValueKind == JsonValueKind.Object && given.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : throw Bad($"{name} is missing.");

    private static WebException Bad(string message) => new(StatusCodes.Status400BadRequest, message);
}
