using System.Text.Json.Nodes;

namespace KeepFs.Catalog.Tests;

/// <summary>The option replace_segments (catalog-api.md 4.10): two small blocks become one.</summary>
public abstract class ReplaceSegmentsTests(DatabaseKind database) : IAsyncLifetime
{
    private TestCatalog _catalog = null!;

    private string Token => _catalog.ActiveToken;

    private string Foo => _catalog.Signed("foo", Token);

    private string Bar => _catalog.Signed("bar", Token);

    private string Packed => _catalog.Signed("foobar", Token);

    public async Task InitializeAsync() => _catalog = await TestCatalog.StartAsync(database);

    public async Task DisposeAsync() => await _catalog.DisposeAsync();

    [Fact]
    public async Task Segments_move_to_another_block_and_files_stay_as_they_are()
    {
        var uuid = await CreateAsync();

        var answer = await ReplaceAsync(uuid, ($"{Foo} 0 3", $"{Packed} 0 3"), ($"{Bar} 0 3", $"{Packed} 3 3"));

        Assert.True(answer.Status == 200, answer.Text);
        Assert.Equal(". 3858f62230ac3c915f300c664312c63f+6 0:3:a 3:3:b 0:6:c\n", await UnsignedAsync(uuid));
    }

    [Fact]
    public async Task Replacements_by_a_block_are_all_or_none()
    {
        var uuid = await CreateAsync();
        var before = await UnsignedAsync(uuid);

        Assert.Equal(200, (await ReplaceAsync(uuid, ($"{Foo} 0 3", $"{Packed} 0 3"), ($"{Bar} 1 2", $"{Packed} 4 2"))).Status);
        Assert.Equal(before, await UnsignedAsync(uuid));

        var other = _catalog.Signed("barfoo", Token);
        Assert.Equal(200, (await ReplaceAsync(uuid, ($"{Foo} 0 3", $"{other} 3 3"), ($"{Bar} 1 2", $"{Packed} 4 2"))).Status);
        Assert.Contains(other.Split('+')[0], await UnsignedAsync(uuid), StringComparison.Ordinal);
    }

    [Fact]
    public async Task They_apply_to_the_manifest_and_the_files_of_the_same_request()
    {
        var created = await _catalog.PostAsync(Token, Query("collections", null, (Foo + " 0 3", Packed + " 0 3")), Collection(_catalog.OneFile("new", "foo", Token)));
        Assert.True(created.Status == 200, created.Text);
        Assert.Equal(". 3858f62230ac3c915f300c664312c63f+6 0:3:new\n", await UnsignedAsync(created.Text_("uuid")));

        var uuid = await CreateAsync();
        var changed = await _catalog.PutAsync(Token, Query($"collections/{uuid}", """{"/d":"current/a","/a":"","/b":"","/c":""}""", (Foo + " 0 3", Packed + " 0 3")), []);
        Assert.True(changed.Status == 200, changed.Text);
        Assert.Equal(". 3858f62230ac3c915f300c664312c63f+6 0:3:d\n", await UnsignedAsync(uuid));
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("""{"x":"y"}""")]
    [InlineData("""{"acbd18db4cc2f85cedef654fccc4a4d8+3 0 3":3}""")]
    [InlineData("""{"acbd18db4cc2f85cedef654fccc4a4d8+3 0 3":"3858f62230ac3c915f300c664312c63f+6 0 2"}""")]
    [InlineData("""{"acbd18db4cc2f85cedef654fccc4a4d8+3 0 3":"3858f62230ac3c915f300c664312c63f+6 4 3"}""")]
    [InlineData("""{"acbd18db4cc2f85cedef654fccc4a4d8+3 0 3":"3858f62230ac3c915f300c664312c63f 0 3"}""")]
    [InlineData("""{"acbd18db4cc2f85cedef654fccc4a4d8+3 0 3":"3858f62230ac3c915f300c664312c63f+6 -1 3"}""")]
    [InlineData("""{"acbd18db4cc2f85cedef654fccc4a4d8+3 0 3":"3858f62230ac3c915f300c664312c63f+6 2147483647 3"}""")]
    [InlineData("""{"acbd18db4cc2f85cedef654fccc4a4d8+3 0":"3858f62230ac3c915f300c664312c63f+6 0 3"}""")]
    public async Task Wrong_value_is_400_and_changes_nothing(string value)
    {
        var uuid = await CreateAsync();
        var before = await UnsignedAsync(uuid);
        Assert.Equal(400, (await _catalog.PutAsync(Token, $"collections/{uuid}?replace_segments={Uri.EscapeDataString(value)}", [])).Status);
        Assert.Equal(before, await UnsignedAsync(uuid));
    }

    [Fact]
    public async Task Replacement_needs_a_signature()
    {
        var uuid = await CreateAsync();
        var unsigned = Packed.Split("+A")[0];

        Assert.Equal(403, (await ReplaceAsync(uuid, ($"{Foo} 0 3", $"{unsigned} 0 3"))).Status);
        Assert.Equal(403, (await ReplaceAsync(uuid, ($"{Foo} 0 3", $"{_catalog.Signed("foobar", _catalog.SpectatorToken)} 0 3"))).Status);
        Assert.Equal(200, (await ReplaceAsync(uuid, ($"{Foo.Split("+A")[0]} 0 3", $"{Packed} 0 3"))).Status);
    }

    private static JsonObject Collection(string manifest) => new() { ["collection"] = new JsonObject { ["manifest_text"] = manifest } };

    private static string Query(string path, string? files, params (string Old, string New)[] segments)
    {
        var value = new JsonObject(segments.Select(pair => KeyValuePair.Create(pair.Old, (JsonNode?)pair.New)));
        return $"{path}?replace_segments={Uri.EscapeDataString(value.ToJsonString())}{(files is null ? "" : "&replace_files=" + Uri.EscapeDataString(files))}";
    }

    private async Task<string> CreateAsync() =>
        (await _catalog.PostAsync(Token, "collections", Collection($". {Foo} {Bar} 0:3:a 3:3:b 0:6:c\n"))).Text_("uuid");

    private Task<Answer> ReplaceAsync(string uuid, params (string Old, string New)[] segments) => _catalog.PutAsync(Token, Query($"collections/{uuid}", null, segments), []);

    private async Task<string> UnsignedAsync(string uuid) =>
        (string)(await _catalog.GetAsync(Token, $"collections/{uuid}?select=[\"unsigned_manifest_text\"]")).Json["unsigned_manifest_text"]!;
}
