using System.Globalization;
using System.Text.Json.Nodes;

namespace KeepFs.Catalog.Tests;

/// <summary>The option replace_files (catalog-api.md 4.9).</summary>
public abstract class ReplaceFilesTests(DatabaseKind database) : IAsyncLifetime
{
    private TestCatalog _catalog = null!;

    private string Token => _catalog.ActiveToken;

    public async Task InitializeAsync() => _catalog = await TestCatalog.StartAsync(database);

    public async Task DisposeAsync() => await _catalog.DisposeAsync();

    [Theory]
    [InlineData("""{"/foo.txt":"","/bar.txt":"current/foo.txt"}""", "bar.txt=foo dir/x=bar other=baz")]
    [InlineData("""{"/foo.txt":"current/other","/other":"current/foo.txt"}""", "dir/x=bar foo.txt=baz other=foo")]
    [InlineData("""{"/copy":"current/dir"}""", "copy/x=bar dir/x=bar foo.txt=foo other=baz")]
    [InlineData("""{"/copy":"current/dir/"}""", "copy/x=bar dir/x=bar foo.txt=foo other=baz")]
    [InlineData("""{"/dir":"","/dir/y":"current/dir/x"}""", "dir/y=bar foo.txt=foo other=baz")]
    [InlineData("""{"/new/deep/f":"current/foo.txt"}""", "dir/x=bar foo.txt=foo new/deep/f=foo other=baz")]
    [InlineData("""{"/absent":"","/also/absent":""}""", "dir/x=bar foo.txt=foo other=baz")]
    [InlineData("""{"/":""}""", "")]
    public async Task Changes_of_paths_give_the_expected_tree(string replace, string expected)
    {
        var uuid = await CreateAsync("foo.txt=foo dir/x=bar other=baz");

        var answer = await ReplaceAsync(uuid, replace);

        Assert.True(answer.Status == 200, answer.Text);
        Assert.Equal(expected, Tree(answer));
    }

    [Fact]
    public async Task Emptied_directory_stays()
    {
        var uuid = await CreateAsync("dir/x=bar");

        var answer = await ReplaceAsync(uuid, """{"/dir/x":""}""", "unsigned_manifest_text");

        Assert.Equal("./dir d41d8cd98f00b204e9800998ecf8427e+0 0:0:\\056\n", answer.Text_("unsigned_manifest_text"));
    }

    [Fact]
    public async Task Manifest_text_adds_new_files()
    {
        var uuid = await CreateAsync("a=foo");

        var added = await _catalog.PutAsync(Token, Path(uuid, """{"/d/new":"manifest_text/new"}"""), new JsonObject { ["manifest_text"] = _catalog.OneFile("new", "bar", Token) });
        var replaced = await _catalog.PutAsync(Token, Path(uuid, """{"/":"manifest_text/"}"""), new JsonObject { ["manifest_text"] = _catalog.OneFile("only", "baz", Token) });

        Assert.Equal("a=foo d/new=bar", Tree(added));
        Assert.Equal("only=baz", Tree(replaced));
    }

    [Fact]
    public async Task Only_blocks_that_are_taken_need_signatures()
    {
        var uuid = await CreateAsync("a=foo");
        var mixed = $". {_catalog.Signed("bar", Token)} 73feffa4b7f6bb68e44cf984c85f6e88+3 0:3:good 3:3:bad\n";

        Assert.Equal(200, (await _catalog.PutAsync(Token, Path(uuid, """{"/good":"manifest_text/good"}"""), new JsonObject { ["manifest_text"] = mixed })).Status);
        Assert.Equal(403, (await _catalog.PutAsync(Token, Path(uuid, """{"/bad":"manifest_text/bad"}"""), new JsonObject { ["manifest_text"] = mixed })).Status);
    }

    [Fact]
    public async Task Create_combines_other_collections_by_hash()
    {
        var first = await _catalog.GetAsync(Token, $"collections/{await CreateAsync("a=foo")}");
        var second = await _catalog.GetAsync(Token, $"collections/{await CreateAsync("b=bar d/c=baz")}");
        var replace = new JsonObject { ["/"] = "", ["/c1"] = first.Text_("portable_data_hash") + "/", ["/c2"] = second.Text_("portable_data_hash") + "/d" };

        var answer = await _catalog.PostAsync(Token, "collections", new JsonObject { ["name"] = "sum", ["replace_files"] = replace.ToJsonString() });
        var hidden = await _catalog.PostAsync(_catalog.SpectatorToken, "collections", new JsonObject { ["replace_files"] = JsonNode.Parse(replace.ToJsonString()) });

        Assert.True(answer.Status == 200, answer.Text);
        Assert.Equal("c1/a=foo c2/c=baz", Tree(answer));
        Assert.Equal("sum", answer.Text_("name"));
        Assert.Equal(404, hidden.Status);
    }

    [Theory]
    [InlineData("""{"foo":""}""")]
    [InlineData("""{"/foo/":""}""")]
    [InlineData("""{"//foo":""}""")]
    [InlineData("""{"/a/../b":""}""")]
    [InlineData("""{"/x":"current/nosuch"}""")]
    [InlineData("""{"/x":"nosense/foo"}""")]
    [InlineData("""{"/x":"zzzzz-4zz18-aaaaaaaaaaaaaaa/foo"}""")]
    [InlineData("""{"/b":"current/dir","/b/c":"current/foo.txt"}""")]
    [InlineData("""{"/":"current/"}""")]
    [InlineData("""{"/foo.txt/below":"current/dir/x"}""")]
    [InlineData("""{"/x":"manifest_text/none"}""")]
    [InlineData("""["/x"]""")]
    [InlineData("""{"/x":5}""")]
    public async Task Bad_request_is_400_and_changes_nothing(string replace)
    {
        var uuid = await CreateAsync("foo.txt=foo dir/x=bar");

        var answer = await ReplaceAsync(uuid, replace);

        Assert.True(answer.Status == 400, answer.Text);
        Assert.Equal("dir/x=bar foo.txt=foo", Tree(await _catalog.GetAsync(Token, $"collections/{uuid}")));
    }

    [Fact]
    public async Task Unused_manifest_text_is_400()
    {
        var uuid = await CreateAsync("a=foo");
        Assert.Equal(400, (await _catalog.PutAsync(Token, Path(uuid, """{"/a":""}"""), new JsonObject { ["manifest_text"] = _catalog.OneFile("new", "bar", Token) })).Status);
    }

    [Fact]
    public async Task Many_clients_at_once_lose_nothing()
    {
        const int Clients = 12;
        const int Saves = 8;
        var uuid = await CreateAsync("start=foo");

        await Task.WhenAll(Enumerable.Range(0, Clients).Select(async client =>
        {
            for (var i = 0; i < Saves; i++)
            {
                var name = string.Create(CultureInfo.InvariantCulture, $"c{client:d2}-{i}");
                var answer = await _catalog.PutAsync(
                    Token, Path(uuid, $$"""{"/d{{client % 3}}/{{name}}":"manifest_text/f"}"""), new JsonObject { ["manifest_text"] = _catalog.OneFile("f", name, Token) });
                Assert.True(answer.Status == 200, answer.Text);
                Assert.Contains(name, answer.Text_("manifest_text"), StringComparison.Ordinal);
            }
        }));

        var final = await _catalog.GetAsync(Token, $"collections/{uuid}");
        Assert.Equal((Clients * Saves) + 1, final.Json["file_count"]!.GetValue<int>());
    }

    [Fact]
    public async Task Conditional_replace_is_evaluated_with_the_change()
    {
        var uuid = await CreateAsync("a=foo");
        var hash = (await _catalog.GetAsync(Token, $"collections/{uuid}")).Text_("portable_data_hash");

        var answers = await Task.WhenAll(Enumerable.Range(0, 10).Select(i => _catalog.PutAsync(
            Token, Path(uuid, $$"""{"/n{{i}}":"current/a"}""") + $"&if_portable_data_hash={Uri.EscapeDataString(hash)}", [])));

        Assert.Single(answers, answer => answer.Status == 200);
        Assert.Equal(9, answers.Count(answer => answer.Status == 412));
        Assert.Equal(2, (await _catalog.GetAsync(Token, $"collections/{uuid}")).Json["file_count"]!.GetValue<int>());
    }

    private static string Path(string uuid, string replace) => $"collections/{uuid}?replace_files={Uri.EscapeDataString(replace)}";

    private Task<Answer> ReplaceAsync(string uuid, string replace, string? select = null) =>
        _catalog.PutAsync(Token, Path(uuid, replace) + (select is null ? "" : $"&select={Uri.EscapeDataString($"[\"{select}\"]")}"), []);

    /// <summary>Creates a collection of "path=content" files.</summary>
    private Task<string> CreateAsync(string files)
    {
        var lines = files.Split(' ').Select(file => file.Split('=')).Select(file =>
        {
            var slash = file[0].LastIndexOf('/');
            return $"{(slash < 0 ? "." : "./" + file[0][..slash])} {_catalog.Signed(file[1], Token)} 0:{file[1].Length}:{file[0][(slash + 1)..]}\n";
        });
        return _catalog.CreateAsync(Token, "collections", new JsonObject { ["manifest_text"] = string.Concat(lines.Order(StringComparer.Ordinal)) });
    }

    /// <summary>The files with their contents, known by the hashes of the three words that the tests use.</summary>
    private static string Tree(Answer answer)
    {
        var words = new Dictionary<string, string>
        {
            ["acbd18db4cc2f85cedef654fccc4a4d8"] = "foo",
            ["37b51d194a7513e45b56f6524f2d51f2"] = "bar",
            ["73feffa4b7f6bb68e44cf984c85f6e88"] = "baz",
        };
        var tree = Engine.Manifests.ManifestTree.Load(System.Text.Encoding.UTF8.GetBytes(answer.Text_("manifest_text")));
        return string.Join(' ', tree.Walk()
            .Where(entry => entry.Node is Engine.Manifests.ManifestFile)
            .Select(entry => $"{entry.Path}={words[((Engine.Manifests.ManifestFile)entry.Node).Segments[0].Locator.Hash.ToString()]}")
            .Order(StringComparer.Ordinal));
    }
}
