using System.Runtime.CompilerServices;
using System.Text.Json;

namespace KeepFs.Engine.Catalog;

/// <content>Lists: contents of projects, shared projects, tags, versions. Paged by UUID, each page until an empty one.</content>
public sealed partial class CatalogClient
{
    private const string ProjectClasses = """["group_class","in",["project","filter"]]""";

    /// <summary>UUIDs in one request: they travel in the URL, which servers take up to 8 KiB.</summary>
    private const int UuidsPerRequest = 150;

    /// <inheritdoc/>
    public async IAsyncEnumerable<ProjectItem> ListContentsAsync(string ownerUuid, CatalogFilters filters, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        // Two passes, as arv-mount does: the order of a mixed list is by type first, which keyset paging cannot follow.
        string[] passes =
        [
            $"""["uuid","is_a","arvados#group"],["groups.group_class","in",["project","filter"]]{filters.For("groups")}""",
            $"""["uuid","is_a","arvados#collection"]{filters.For("collections")}""",
        ];
        foreach (var conditions in passes)
        {
            var last = "";
            while (true)
            {
                var page = await GetAsync(
                    $"groups/contents?uuid={ownerUuid}&limit={options.PageSize}&count=none&order=uuid&filters={Filters(After(conditions, last))}",
                    CatalogJson.Default.PageProjectItem, cancellationToken);
                if (page.Items.Count == 0)
                {
                    break;
                }

                foreach (var item in page.Items)
                {
                    yield return item;
                }

                last = page.Items[^1].Uuid;
            }
        }
    }

    /// <inheritdoc/>
    public async Task<ProjectItem?> FindByNameAsync(string ownerUuid, string name, CatalogFilters filters, CancellationToken cancellationToken)
    {
        var owner = $"""["owner_uuid","=","{ownerUuid}"],["name","=",{JsonString(name)}]""";
        var group = await GetAsync($"groups?limit=1&count=none&filters={Filters($"{owner},{ProjectClasses}{filters.For("groups")}")}", CatalogJson.Default.PageProjectItem, cancellationToken);
        if (group.Items.Count > 0)
        {
            return group.Items[0];
        }

        var collection = await GetAsync($"collections?limit=1&count=none&filters={Filters(owner + filters.For("collections"))}", CatalogJson.Default.PageProjectItem, cancellationToken);
        return collection.Items.Count > 0 ? collection.Items[0] : null;
    }

    /// <inheritdoc/>
    public async Task<SharedProjects> ListSharedAsync(CatalogFilters filters, CancellationToken cancellationToken)
    {
        var projects = new List<ProjectItem>();
        var owners = new Dictionary<string, ProjectOwner>(StringComparer.Ordinal);
        var last = "";
        while (true)
        {
            var page = await GetAsync(
                $"groups/shared?limit={options.PageSize}&count=none&order=uuid&include=owner_uuid&filters={Filters(After(ProjectClasses + filters.For("groups"), last))}",
                CatalogJson.Default.SharedPage, cancellationToken);
            if (page.Items.Count == 0)
            {
                return new SharedProjects(projects, [.. owners.Values]);
            }

            projects.AddRange(page.Items);
            foreach (var owner in page.Included)
            {
                owners[owner.Uuid] = owner;
            }

            last = page.Items[^1].Uuid;
        }
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<string>> ListTagsAsync(int limit, CancellationToken cancellationToken)
    {
        var page = await GetAsync(
            $"links?limit={limit}&count=none&distinct=true&order=name&select={JsonArray(["name"])}&filters={Filters("""["link_class","=","tag"],["name","!=",""]""")}",
            CatalogJson.Default.PageTagLink, cancellationToken);
        return [.. page.Items.Select(link => link.Name).OfType<string>().Distinct(StringComparer.Ordinal)];
    }

    /// <inheritdoc/>
    public async Task<bool> HasTagAsync(string tag, CancellationToken cancellationToken)
    {
        var page = await GetAsync(
            $"links?limit=1&count=none&filters={Filters($"""["link_class","=","tag"],["name","=",{JsonString(tag)}]""")}", CatalogJson.Default.PageTagLink, cancellationToken);
        return page.Items.Count > 0;
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<Collection>> ListTaggedAsync(string tag, CatalogFilters filters, CancellationToken cancellationToken)
    {
        var heads = new SortedSet<string>(StringComparer.Ordinal);
        var conditions = $"""["link_class","=","tag"],["name","=",{JsonString(tag)}],["head_uuid","is_a","arvados#collection"]""";
        var last = "";
        while (true)
        {
            var after = last.Length == 0 ? conditions : $"""{conditions},["head_uuid",">","{last}"]""";
            var page = await GetAsync(
                $"links?limit={options.PageSize}&count=none&distinct=true&order=head_uuid&select={JsonArray(["head_uuid"])}&filters={Filters(after)}",
                CatalogJson.Default.PageTagLink, cancellationToken);
            var found = page.Items.Select(link => link.HeadUuid).OfType<string>().ToArray();
            if (found.Length == 0)
            {
                break;
            }

            heads.UnionWith(found);
            last = found[^1];
        }

        return await FindCollectionsAsync(heads, filters, cancellationToken);
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<Collection>> ListVersionsAsync(string uuid, CancellationToken cancellationToken)
    {
        var versions = new List<Collection>();
        var conditions = $"""["current_version_uuid","=","{uuid}"]""";
        while (true)
        {
            var before = versions.Count == 0 ? conditions : $"""{conditions},["version","<",{versions[^1].Version}]""";
            var page = await GetAsync(
                $"collections?include_old_versions=true&limit={options.PageSize}&count=none&order={Uri.EscapeDataString("version desc")}"
                + $"&select={JsonArray(["uuid", "current_version_uuid", "version", "created_at", "modified_at", "portable_data_hash"])}&filters={Filters(before)}",
                CatalogJson.Default.PageCollection, cancellationToken);
            if (page.Items.Count == 0)
            {
                return versions;
            }

            versions.AddRange(page.Items);
        }
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<Collection>> FindCollectionsAsync(IReadOnlyCollection<string> uuids, CatalogFilters filters, CancellationToken cancellationToken)
    {
        var found = new List<Collection>(uuids.Count);
        foreach (var some in uuids.Chunk(UuidsPerRequest))
        {
            var conditions = $"""["uuid","in",[{string.Join(',', some.Select(JsonString))}]]""" + filters.For("collections");
            var page = await GetAsync(
                $"collections?limit={some.Length}&count=none&order=uuid&select={JsonArray(["uuid", "owner_uuid", "portable_data_hash", "modified_at"])}&filters={Filters(conditions)}",
                CatalogJson.Default.PageCollection, cancellationToken);
            found.AddRange(page.Items);
        }

        return found;
    }

    /// <inheritdoc/>
    public async Task<bool> IsShownAsync(string id, CatalogFilters filters, CancellationToken cancellationToken)
    {
        var (type, attribute) = Manifests.PortableDataHash.IsPortableDataHash(id) ? ("collections", "portable_data_hash")
            : id[6..11] == "4zz18" ? ("collections", "uuid")
            : ("groups", "uuid");
        var conditions = $"""["{attribute}","=",{JsonString(id)}]""" + filters.For(type);
        var page = await GetAsync($"{type}?limit=1&count=none&select={JsonArray(["uuid"])}&filters={Filters(conditions)}", CatalogJson.Default.PageProjectItem, cancellationToken);
        return page.Items.Count > 0;
    }

    /// <inheritdoc/>
    public Task<JsonDocument?> FindRecordAsync(string id, CancellationToken cancellationToken)
    {
        var type = Manifests.PortableDataHash.IsPortableDataHash(id) || id[6..11] == "4zz18" ? "collections" : id[6..11] == "tpzed" ? "users" : "groups";
        return GetOrNullAsync($"{type}/{Uri.EscapeDataString(id)}", CatalogJson.Default.JsonDocument, cancellationToken);
    }

    /// <inheritdoc/>
    public async Task<bool> MayUpdateCollectionAsync(string uuid, CancellationToken cancellationToken)
    {
        try
        {
            _ = await UpdateCollectionAsync(uuid, new CollectionChange { Select = ["uuid"] }, cancellationToken);
            return true;
        }
        catch (CatalogException e) when (e.Kind is CatalogErrorKind.Forbidden or CatalogErrorKind.NotFound or CatalogErrorKind.Invalid)
        {
            return false;
        }
    }

    private static string After(string conditions, string lastUuid) => lastUuid.Length == 0 ? conditions : $"""{conditions},["uuid",">","{lastUuid}"]""";

    private static string Filters(string conditions) => Uri.EscapeDataString($"[{conditions}]");
}
