using System.Runtime.CompilerServices;
using System.Text.Json;
using KeepFs.Engine.Blocks;

namespace KeepFs.Engine.Catalog;

public sealed partial class CatalogClient
{
    /// <inheritdoc/>
    public Task<User> GetCurrentUserAsync(CancellationToken cancellationToken) => GetAsync("users/current", CatalogJson.Default.User, cancellationToken);

    /// <inheritdoc/>
    public Task<User?> FindUserAsync(string uuid, CancellationToken cancellationToken) =>
        GetOrNullAsync("users/" + Uri.EscapeDataString(uuid), CatalogJson.Default.User, cancellationToken);

    /// <inheritdoc/>
    public async Task<SiteConfig> GetConfigAsync(CancellationToken cancellationToken)
    {
        var config = await GetAsync("config", CatalogJson.Default.DictionaryStringJsonElement, cancellationToken);
        var collections = Find(config, "Collections");
        var classes = Find(config, "StorageClasses") is { ValueKind: JsonValueKind.Object } all
            ? all.EnumerateObject().Where(entry => Child(entry.Value, "Default") is { ValueKind: JsonValueKind.True }).Select(entry => entry.Name).ToArray()
            : [];
        var webDav = Child(Child(Find(config, "Services"), "WebDAV"), "ExternalURL");
        return new SiteConfig(
            Text(Find(config, "ClusterID")),
            Child(collections, "DefaultReplication") is { ValueKind: JsonValueKind.Number } copies ? copies.GetInt32() : 2,
            classes,
            GoDuration.TryParse(Text(Child(collections, "BlobSigningTTL")), out var ttl) ? ttl : TimeSpan.FromHours(2),
            Text(Child(collections, "ForwardSlashNameSubstitution")),
            Text(webDav))
        {
            WebsocketUrl = Uri.TryCreate(Text(Child(Child(Find(config, "Services"), "Websocket"), "ExternalURL")), UriKind.Absolute, out var events) ? events : null,
        };
    }

    /// <inheritdoc/>
    public Task<Collection?> FindCollectionAsync(string id, IReadOnlyList<string>? select, CancellationToken cancellationToken)
    {
        var query = (select is null ? "" : "&select=" + JsonArray(select)) + (options.AsksForDav ? "&keepfs_dav=true" : "");
        query = query.Length > 0 ? "?" + query[1..] : "";
        return GetOrNullAsync("collections/" + Uri.EscapeDataString(id) + query, CatalogJson.Default.Collection, cancellationToken);
    }

    /// <inheritdoc/>
    public Task<Collection> CreateCollectionAsync(CollectionChange change, CancellationToken cancellationToken) =>
        WriteAsync(HttpMethod.Post, "collections", change, CatalogJson.Default.CollectionChange, CatalogJson.Default.Collection, cancellationToken);

    /// <inheritdoc/>
    public Task<Collection> UpdateCollectionAsync(string uuid, CollectionChange change, CancellationToken cancellationToken) =>
        WriteAsync(HttpMethod.Put, "collections/" + Uri.EscapeDataString(uuid), change, CatalogJson.Default.CollectionChange, CatalogJson.Default.Collection, cancellationToken);

    /// <inheritdoc/>
    public Task TrashCollectionAsync(string uuid, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Delete, "collections/" + Uri.EscapeDataString(uuid), null, CatalogJson.Default.Collection, notFoundIsNull: false, cancellationToken);

    /// <inheritdoc/>
    public Task<Group?> FindGroupAsync(string uuid, CancellationToken cancellationToken) =>
        GetOrNullAsync("groups/" + Uri.EscapeDataString(uuid), CatalogJson.Default.Group, cancellationToken);

    /// <inheritdoc/>
    public Task<Group> CreateProjectAsync(string ownerUuid, string name, CancellationToken cancellationToken) =>
        WriteAsync(
            HttpMethod.Post, "groups", new GroupChange { Group = new GroupWrite { Name = name, OwnerUuid = ownerUuid, GroupClass = "project" } },
            CatalogJson.Default.GroupChange, CatalogJson.Default.Group, cancellationToken);

    /// <inheritdoc/>
    public Task<Group> UpdateProjectAsync(string uuid, string ownerUuid, string name, CancellationToken cancellationToken) =>
        WriteAsync(
            HttpMethod.Put, "groups/" + Uri.EscapeDataString(uuid), new GroupChange { Group = new GroupWrite { Name = name, OwnerUuid = ownerUuid } },
            CatalogJson.Default.GroupChange, CatalogJson.Default.Group, cancellationToken);

    /// <inheritdoc/>
    public Task TrashProjectAsync(string uuid, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Delete, "groups/" + Uri.EscapeDataString(uuid), null, CatalogJson.Default.Group, notFoundIsNull: false, cancellationToken);

    /// <inheritdoc/>
    public async Task<User?> FindUserByNameAsync(string username, CancellationToken cancellationToken)
    {
        var page = await GetAsync(
            $"users?limit=1&count=none&filters={Uri.EscapeDataString($"""[["username","=",{JsonString(username)}]]""")}", CatalogJson.Default.PageUser, cancellationToken);
        return page.Items.Count > 0 ? page.Items[0] : null;
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<User> ListUsersAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var last = "";
        while (true)
        {
            var filter = last.Length == 0 ? "" : "&filters=" + Uri.EscapeDataString($"""[["uuid",">","{last}"]]""");
            var page = await GetAsync($"users?limit={options.PageSize}&count=none&order=uuid{filter}", CatalogJson.Default.PageUser, cancellationToken);
            if (page.Items.Count == 0)
            {
                yield break;
            }

            foreach (var user in page.Items)
            {
                yield return user;
            }

            last = page.Items[^1].Uuid;
        }
    }

    private static JsonElement? Find(Dictionary<string, JsonElement> config, string name) => config.TryGetValue(name, out var value) ? value : null;

    private static JsonElement? Child(JsonElement? parent, string name) =>
        parent is { ValueKind: JsonValueKind.Object } element && element.TryGetProperty(name, out var child) ? child : null;

    private static string Text(JsonElement? element) => element is { ValueKind: JsonValueKind.String } text ? text.GetString()! : "";

    private static string JsonArray(IReadOnlyList<string> items) => Uri.EscapeDataString($"[{string.Join(',', items.Select(JsonString))}]");

    private static string JsonString(string text) => $"\"{JsonEncodedText.Encode(text)}\"";
}
