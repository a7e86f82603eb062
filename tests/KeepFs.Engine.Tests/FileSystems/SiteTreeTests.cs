using System.Text.Json;
using KeepFs.Engine.Catalog;
using KeepFs.Engine.FileSystems;
using KeepFs.Testing.Catalog;

namespace KeepFs.Engine.Tests.FileSystems;

/// <summary>What each kind of directory shows (mount.md section 2), special files, names, and what may be done where.</summary>
public sealed class SiteTreeTests : IAsyncLifetime, IAsyncDisposable
{
    private const string Other = "zzzzz-tpzed-000000000000002";
    private readonly SiteWorld _world = new();

    public Task InitializeAsync() => Task.CompletedTask;

    Task IAsyncLifetime.DisposeAsync() => DisposeAsync().AsTask();

    public ValueTask DisposeAsync() => _world.DisposeAsync();

    [Fact]
    public async Task Root_has_the_directories_of_its_mode()
    {
        await _world.OpenAsync(new SiteOptions { Root = SiteRoot.All });
        Assert.Equal(["README", "by_id", "by_tag", "home", "shared"], await _world.ListAsync(""));
        Assert.Equal(["README"], await _world.ListAsync("by_id"));
        Assert.Contains("portable data hash", await _world.ReadAsync("README"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Custom_root_has_what_it_was_given()
    {
        await _world.OpenAsync(new SiteOptions { Root = new SiteRoot.Custom([("a", SitePlace.Home), ("b", SitePlace.ByPdh), ("c", SitePlace.Tmp), ("d", SitePlace.Users)]) });
        Assert.Equal(["README", "a", "b", "c", "d"], await _world.ListAsync(""));
        Assert.Equal(["me"], await _world.ListAsync("d"));
    }

    [Theory]
    [InlineData(SitePlace.ById, new[] { "README", "by_id" })]
    [InlineData(SitePlace.ByPdh, new[] { "README", "by_id" })]
    [InlineData(SitePlace.Home, new[] { "mine" })]
    [InlineData(SitePlace.Users, new[] { "me" })]
    [InlineData(SitePlace.Shared, new string[0])]
    [InlineData(SitePlace.ByTag, new string[0])]
    public async Task One_place_can_be_the_root(SitePlace place, string[] expected)
    {
        await _world.CollectionAsync("mine");
        await _world.OpenAsync(new SiteOptions { Root = new SiteRoot.Only(place) });
        Assert.Equal(expected, await _world.ListAsync(""));
    }

    [Fact]
    public async Task Project_or_collection_as_root_must_exist()
    {
        var collection = await _world.CollectionAsync("c", manifest: ". d41d8cd98f00b204e9800998ecf8427e+0 0:0:file\n");
        var project = await _world.Catalog.CreateProjectAsync(MemoryCatalog.UserUuid, "p", default);
        await _world.CollectionAsync("inside", project.Uuid);
        Assert.Equal(FsError.NotFound, await SiteWorld.ErrorOfAsync(() => _world.OpenAsync(new SiteOptions { Root = new SiteRoot.Collection("zzzzz-4zz18-aaaaaaaaaaaaaaa") })));
        Assert.Equal(FsError.NotFound, await SiteWorld.ErrorOfAsync(() => _world.OpenAsync(new SiteOptions { Root = new SiteRoot.Project("zzzzz-j7d0g-aaaaaaaaaaaaaaa") })));

        await _world.OpenAsync(new SiteOptions { Root = new SiteRoot.Project(project.Uuid) });
        Assert.Equal(["inside"], await _world.ListAsync(""));
        await _world.Site.DisposeAsync();
        await _world.OpenAsync(new SiteOptions { Root = new SiteRoot.Collection(collection) });
        Assert.Equal(["file"], await _world.ListAsync(""));
    }

    [Fact]
    public async Task By_id_takes_every_kind_of_id_and_lists_what_was_entered()
    {
        var collection = await _world.CollectionAsync("c");
        var hash = (await _world.Catalog.FindCollectionAsync(collection, null, default))!.PortableDataHash;
        var project = await _world.Catalog.CreateProjectAsync(MemoryCatalog.UserUuid, "p", default);
        await _world.OpenAsync(new SiteOptions { Root = new SiteRoot.Custom([("id", SitePlace.ById), ("pdh", SitePlace.ByPdh)]) });

        foreach (var id in (string[])[collection, hash, project.Uuid, MemoryCatalog.UserUuid])
        {
            Assert.NotNull(await _world.Ops.StatAsync("id/" + id));
        }

        Assert.Equal(new[] { "README", collection, hash, project.Uuid, MemoryCatalog.UserUuid }.Order(StringComparer.Ordinal), await _world.ListAsync("id"));
        Assert.NotNull(await _world.Ops.StatAsync("pdh/" + hash));
        Assert.Null(await _world.Ops.StatAsync("pdh/" + collection));
        Assert.Null(await _world.Ops.StatAsync("id/nonsense"));
        Assert.True(await _world.IsWritableAsync("id/" + collection));
        Assert.False(await _world.IsWritableAsync("id/" + hash));
    }

    [Fact]
    public async Task Tags_lead_to_their_collections()
    {
        var one = await _world.CollectionAsync("one");
        var two = await _world.CollectionAsync("two");
        _world.Catalog.Tags["good/old"] = [one, two];
        await _world.OpenAsync();
        Assert.Equal(["good_old"], await _world.ListAsync("by_tag"));
        Assert.Equal([one, two], await _world.ListAsync("by_tag/good_old"));

        _world.Catalog.Tags["late"] = [two];
        Assert.Equal([two], await _world.ListAsync("by_tag/late"));
        Assert.Equal(["good_old", "late"], await _world.ListAsync("by_tag"));
        Assert.Null(await _world.Ops.StatAsync("by_tag/none"));
    }

    [Fact]
    public async Task Shared_shows_owners_by_name_and_projects_of_unknown_owners_themselves()
    {
        var known = await _world.Catalog.CreateProjectAsync(Other, "theirs", default);
        var lone = await _world.Catalog.CreateProjectAsync("zzzzz-tpzed-000000000000003", "lone", default);
        await _world.CollectionAsync("data", lone.Uuid);
        _world.Catalog.Shared = new SharedProjects(
            [Item(known, canWrite: false), Item(lone, canWrite: true)], [new ProjectOwner { Uuid = Other, FirstName = "Ada", LastName = "Lovelace" }]);
        await _world.OpenAsync();

        Assert.Equal(["Ada Lovelace", "lone"], await _world.ListAsync("shared"));
        Assert.Equal(["theirs"], await _world.ListAsync("shared/Ada Lovelace"));
        Assert.Equal(["data"], await _world.ListAsync("shared/lone"));
        Assert.True(await _world.IsWritableAsync("shared/lone"));
        Assert.False(await _world.IsWritableAsync("shared/Ada Lovelace"));

        static ProjectItem Item(Group group, bool canWrite) =>
            new() { Uuid = group.Uuid, OwnerUuid = group.OwnerUuid, Name = group.Name, GroupClass = "project", CanWrite = canWrite };
    }

    [Fact]
    public async Task Filter_group_is_never_writable_and_empty_inside_itself()
    {
        var filter = await _world.Catalog.CreateProjectAsync(MemoryCatalog.UserUuid, "filter", default);
        _world.Catalog.SetGroup(filter with { GroupClass = "filter", OwnerUuid = filter.Uuid });
        await _world.OpenAsync();

        Assert.False(await _world.IsWritableAsync("by_id/" + filter.Uuid));
        Assert.Equal(["filter"], await _world.ListAsync("by_id/" + filter.Uuid));
        Assert.Empty(await _world.ListAsync($"by_id/{filter.Uuid}/filter"));
        Assert.Equal(FsError.NotPermitted, await SiteWorld.ErrorOfAsync(() => _world.Ops.CreateDirectoryAsync($"by_id/{filter.Uuid}/new")));
    }

    [Fact]
    public async Task Names_become_file_names_and_the_literal_one_wins()
    {
        _world.Catalog.SlashSubstitution = "[S]";
        var literal = await _world.CollectionAsync("a[S]b");
        foreach (var name in (string[])["a/b", ".", "..", "c/d", "nul\0"])
        {
            await _world.CollectionAsync(name);
        }

        await _world.CollectionAsync("");
        await _world.OpenAsync();

        // By name before any listing, too.
        Assert.NotNull(await _world.Ops.StatAsync("home/c[S]d"));
        Assert.Equal(["_", "__", "a[S]b", "c[S]d", "nul_"], await _world.ListAsync("home"));
        Assert.NotNull(await _world.Ops.StatAsync("home/_"));
        Assert.Contains(literal, await _world.ReadAsync("home/a[S]b/.arvados#collection"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Record_files_are_current_formatted_and_not_listed()
    {
        var uuid = await _world.CollectionAsync("c");
        await _world.OpenAsync();
        await _world.WriteAsync("home/c/file", "text");

        var record = await _world.ReadAsync("home/c/.arvados#collection");
        var saved = await _world.Catalog.FindCollectionAsync(uuid, null, default);
        Assert.Equal(["file"], await _world.ListAsync("home/c"));
        Assert.StartsWith("{\n    \"empty\": [],\n    \"name\": \"c\",\n    \"portable_data_hash\": \"", record, StringComparison.Ordinal);
        Assert.EndsWith("\n}\n", record, StringComparison.Ordinal);
        using var json = JsonDocument.Parse(record);
        Assert.Equal(saved!.PortableDataHash, json.RootElement.GetProperty("portable_data_hash").GetString());
        Assert.Contains(MemoryCatalog.UserUuid, await _world.ReadAsync("home/.arvados#project"), StringComparison.Ordinal);

        var attributes = await (await _world.Ops.NodeAsync("home/c/.arvados#collection")).GetAttributesAsync(default);
        Assert.Equal((false, false), (attributes.IsWritable, attributes.IsCacheable));
        Assert.Equal(FsError.AlreadyExists, await SiteWorld.ErrorOfAsync(() => _world.Ops.CreateFileAsync("home/c/.arvados#collection")));
        Assert.Equal(FsError.NotPermitted, await SiteWorld.ErrorOfAsync(() => _world.Ops.OpenAsync("home/c/.arvados#collection", FileAccess.Write)));
        Assert.Null(await _world.Ops.StatAsync("home/c/sub/.arvados#collection"));
    }

    [Fact]
    public async Task Temporary_collections_are_writable_in_a_read_only_mount_and_never_saved()
    {
        await _world.OpenAsync(new SiteOptions
        {
            IsReadOnly = true,
            StorageClasses = ["fast"],
            Root = new SiteRoot.Custom([("t1", SitePlace.Tmp), ("t2", SitePlace.Tmp), ("home", SitePlace.Home)]),
        });
        await _world.WriteAsync("t1/foo", "foo");
        await _world.Ops.CreateDirectoryAsync("t1/dir");
        await _world.Site.SyncAllAsync(default);

        Assert.Equal(["dir", "foo"], await _world.ListAsync("t1"));
        Assert.Empty(await _world.ListAsync("t2"));
        using var record = JsonDocument.Parse(await _world.ReadAsync("t1/.arvados#collection"));
        Assert.Equal(JsonValueKind.Null, record.RootElement.GetProperty("uuid").ValueKind);
        Assert.Matches(@"^\. acbd18db4cc2f85cedef654fccc4a4d8\+3(\+\S+)? 0:3:foo\n", record.RootElement.GetProperty("manifest_text").GetString()!);
        Assert.Equal("fast", record.RootElement.GetProperty("storage_classes_desired")[0].GetString());
        Assert.Equal((0, FsError.ReadOnly), (_world.Catalog.Updates, await SiteWorld.ErrorOfAsync(() => _world.Ops.CreateDirectoryAsync("home/new"))));
    }

    [Fact]
    public async Task Collection_of_others_is_writable_if_the_user_may_change_it_alone()
    {
        var readable = await _world.Catalog.AddForeignAsync(Other, "readable");
        var writable = await _world.Catalog.AddForeignAsync(Other, "writable");
        _world.Catalog.MayUpdate.Add(writable);
        _world.Catalog.OtherUsers[Other] = "ada";
        await _world.OpenAsync();

        Assert.True(await _world.IsWritableAsync("by_id/" + writable));
        await _world.Ops.CreateFileAsync($"by_id/{writable}/new");
        Assert.False(await _world.IsWritableAsync("by_id/" + readable));
        Assert.Equal(FsError.NotPermitted, await SiteWorld.ErrorOfAsync(() => _world.Ops.CreateFileAsync($"by_id/{readable}/new")));

        // In a project that is not writable, too: known once somebody looked inside.
        await _world.Ops.NodeAsync($"by_id/{Other}/writable/new");
        Assert.True(await _world.IsWritableAsync($"by_id/{Other}/writable"));
    }

    [Fact]
    public async Task Users_lead_to_home_projects()
    {
        _world.Catalog.OtherUsers[Other] = "ada";
        await _world.Catalog.AddForeignAsync(Other, "hers");
        await _world.OpenAsync();

        Assert.Equal(["ada", "me"], await _world.ListAsync("users"));
        Assert.Equal(["hers"], await _world.ListAsync("users/ada"));
        Assert.Equal((true, false), (await _world.IsWritableAsync("users/me"), await _world.IsWritableAsync("users/ada")));
    }

    [Fact]
    public async Task Everything_but_collections_and_own_projects_refuses_changes()
    {
        var hash = (await _world.Catalog.FindCollectionAsync(await _world.CollectionAsync("c", manifest: ". d41d8cd98f00b204e9800998ecf8427e+0 0:0:file\n"), null, default))!.PortableDataHash;
        await _world.Catalog.CreateProjectAsync(MemoryCatalog.UserUuid, "project", default);
        await _world.OpenAsync();
        foreach (var place in (string[])["", "by_id", "by_tag", "shared", "users"])
        {
            Assert.Equal(FsError.NotPermitted, await SiteWorld.ErrorOfAsync(() => _world.Ops.CreateDirectoryAsync($"{place}/new".TrimStart('/'))));
        }

        Assert.Equal(FsError.NotPermitted, await SiteWorld.ErrorOfAsync(() => _world.Ops.CreateFileAsync($"by_id/{hash}/new")));
        Assert.Equal(FsError.NotPermitted, await SiteWorld.ErrorOfAsync(() => _world.Ops.OpenAsync($"by_id/{hash}/file", FileAccess.Write)));
        Assert.Equal(FsError.NotSupported, await SiteWorld.ErrorOfAsync(() => _world.Ops.CreateFileAsync("home/new")));
        Assert.Equal(FsError.AlreadyExists, await SiteWorld.ErrorOfAsync(() => _world.Ops.CreateDirectoryAsync("home/c")));
        var home = (IDirectoryNode)await _world.Ops.NodeAsync("home");
        Assert.Equal(FsError.NotSupported, await SiteWorld.ErrorOfAsync(() => home.RemoveAsync("c", NodeKind.File, default).AsTask()));
        Assert.Equal(FsError.NotEmpty, await SiteWorld.ErrorOfAsync(() => home.RemoveAsync("c", NodeKind.Directory, default).AsTask()));
        Assert.Equal(FsError.NotPermitted, await SiteWorld.ErrorOfAsync(() => home.RemoveAsync("project", NodeKind.Directory, default).AsTask()));
        Assert.Equal(FsError.NotFound, await SiteWorld.ErrorOfAsync(() => home.RemoveAsync("none", NodeKind.Directory, default).AsTask()));
        Assert.Equal(FsError.NotPermitted, await SiteWorld.ErrorOfAsync(() => home.RenameAsync("project", home, "other", true, default).AsTask()));
        Assert.Equal(FsError.NotPermitted, await SiteWorld.ErrorOfAsync(() => home.RenameAsync("c", home, "project", true, default).AsTask()));
    }

    [Fact]
    public async Task Collection_moves_between_projects_with_what_is_open_in_it()
    {
        var uuid = await _world.CollectionAsync("c", manifest: ". d41d8cd98f00b204e9800998ecf8427e+0 0:0:file\n");
        var project = await _world.Catalog.CreateProjectAsync(MemoryCatalog.UserUuid, "p", default);
        await _world.OpenAsync();
        var file = await _world.Ops.NodeAsync("home/c/file");
        var home = (IDirectoryNode)await _world.Ops.NodeAsync("home");

        await home.RenameAsync("c", (IDirectoryNode)await _world.Ops.NodeAsync("home/p"), "moved", true, default);

        Assert.Null(await _world.Ops.StatAsync("home/c"));
        Assert.Same(file, await _world.Ops.NodeAsync("home/p/moved/file"));
        var record = await _world.Catalog.FindCollectionAsync(uuid, null, default);
        Assert.Equal((project.Uuid, "moved"), (record!.OwnerUuid, record.Name));
    }

    [Fact]
    public async Task Attributes_name_the_content_of_collections_and_the_blocks_of_files()
    {
        var uuid = await _world.CollectionAsync("c");
        await _world.OpenAsync();
        await _world.WriteAsync("home/c/file", "foo");
        Assert.Empty(await (await _world.Ops.NodeAsync("home/c/file")).GetExtendedAttributesAsync(default));
        await _world.Site.SyncAllAsync(default);

        var saved = await _world.Catalog.FindCollectionAsync(uuid, null, default);
        var collection = await (await _world.Ops.NodeAsync("home/c")).GetExtendedAttributesAsync(default);
        Assert.Equal((uuid, saved!.PortableDataHash, "2"), (collection["user.keepfs.uuid"], collection["user.keepfs.portable_data_hash"], collection["user.keepfs.version"]));
        Assert.Equal("acbd18db4cc2f85cedef654fccc4a4d8+3 0 3\n", (await (await _world.Ops.NodeAsync("home/c/file")).GetExtendedAttributesAsync(default))["user.keepfs.locators"]);
        Assert.Equal(saved.PortableDataHash, (await (await _world.Ops.NodeAsync("by_id/" + saved.PortableDataHash)).GetExtendedAttributesAsync(default))["user.keepfs.portable_data_hash"]);
        Assert.Empty(await (await _world.Ops.NodeAsync("home")).GetExtendedAttributesAsync(default));
    }
}
