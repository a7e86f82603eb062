using System.Text.Json.Nodes;

namespace KeepFs.Catalog.Tests;

/// <summary>Filters, order, select and paging (catalog-api.md 3).</summary>
public abstract class FilterTests
{
    private readonly Data _data;

    protected FilterTests(Data data) => _data = data;

    [Theory]
    [InlineData("""["name","=","apple"]""", "apple")]
    [InlineData("""["name","!=","apple"]""", "banana,Cherry,nameless")]
    [InlineData("""["name","<>","apple"]""", "banana,Cherry,nameless")]
    [InlineData("""["name","=",null]""", "nameless")]
    [InlineData("""["name","!=",null]""", "apple,banana,Cherry")]
    [InlineData("""["name",">","apple"]""", "banana")]
    [InlineData("""["name",">=","apple"]""", "apple,banana")]
    [InlineData("""["name","like","%an%"]""", "banana")]
    [InlineData("""["name","like","c%"]""", "")]
    [InlineData("""["name","ilike","c%"]""", "Cherry")]
    [InlineData("""["name","ILIKE","C_ERRY"]""", "Cherry")]
    [InlineData("""["description","ilike","%ÜBER%"]""", "apple")]
    [InlineData("""["description","like","100\\%"]""", "banana")]
    [InlineData("""["name","in",["apple","banana","nosuch"]]""", "apple,banana")]
    [InlineData("""["name","not in",["apple"]]""", "banana,Cherry,nameless")]
    [InlineData("""["name","not in",["apple",null]]""", "banana,Cherry")]
    [InlineData("""["name","in",[]]""", "")]
    [InlineData("""["replication_desired","=",2]""", "banana")]
    [InlineData("""["replication_desired","=","2"]""", "banana")]
    [InlineData("""["replication_desired",">",1]""", "banana,Cherry")]
    [InlineData("""["replication_desired","in",[2,3]]""", "banana,Cherry")]
    [InlineData("""["replication_desired","=",null]""", "apple,nameless")]
    [InlineData("""["is_trashed","=",false]""", "apple,banana,Cherry,nameless")]
    [InlineData("""["is_trashed","=","f"]""", "apple,banana,Cherry,nameless")]
    [InlineData("""["is_trashed","=",true]""", "")]
    [InlineData("""["created_at",">","2001-01-01"]""", "apple,banana,Cherry,nameless")]
    [InlineData("""["created_at","<","2001-01-01T00:00:00Z"]""", "")]
    [InlineData("""["uuid","is_a","arvados#collection"]""", "apple,banana,Cherry,nameless")]
    [InlineData("""["uuid","is_a",["arvados#group","arvados#link"]]""", "")]
    [InlineData("""["owner_uuid","is_a","arvados#user"]""", "apple,banana,Cherry,nameless")]
    [InlineData("""["properties","exists","color"]""", "apple,banana,Cherry")]
    [InlineData("""["properties","contains","color"]""", "apple,banana,Cherry")]
    [InlineData("""["properties","contains",["color","size"]]""", "apple,banana")]
    [InlineData("""["storage_classes_desired","contains","fast"]""", "banana")]
    [InlineData("""["storage_classes_desired","=","[\"default\"]"]""", "apple,Cherry,nameless")]
    [InlineData("""["storage_classes_desired","!=",["default"]]""", "banana")]
    [InlineData("""["properties.color","=","red"]""", "apple")]
    [InlineData("""["properties.color","!=","red"]""", "banana,Cherry,nameless")]
    [InlineData("""["properties.color","in",["red","yellow"]]""", "apple,banana")]
    [InlineData("""["properties.color","not in",["red","yellow"]]""", "Cherry,nameless")]
    [InlineData("""["properties.color","like","%e%"]""", "apple,banana,Cherry")]
    [InlineData("""["properties.color","ilike","YELL%"]""", "banana")]
    [InlineData("""["properties.size","<",5]""", "apple")]
    [InlineData("""["properties.size",">=",5]""", "banana")]
    [InlineData("""["properties.size","=",7]""", "banana")]
    [InlineData("""["properties.size","=",7.0]""", "banana")]
    [InlineData("""["properties.size","=","7"]""", "")]
    [InlineData("""["properties.size","exists",true]""", "apple,banana")]
    [InlineData("""["properties.size","exists",false]""", "Cherry,nameless")]
    [InlineData("""["properties.color","contains","dark"]""", "Cherry")]
    [InlineData("""["properties.color","contains","red"]""", "apple")]
    [InlineData("""["properties.<http://x.example/y>","=","uri"]""", "Cherry")]
    [InlineData("""["properties.http://x.example/y","=","uri"]""", "Cherry")]
    [InlineData("""["properties.it's \"q\"","=","quoted"]""", "Cherry")]
    [InlineData("""["any","ilike","%yellow%"]""", "banana")]
    [InlineData("""["any","like","%file.one%"]""", "apple")]
    [InlineData("""["any","=","apple"]""", "apple")]
    [InlineData("""["any","in",["apple","Cherry"]]""", "apple,Cherry")]
    [InlineData("""["file_names","ilike","%FILE%"]""", "apple")]
    [InlineData("""[["name","description"],"ilike","%an%"]""", "banana")]
    [InlineData("""["collections.name","=","apple"]""", "apple")]
    [InlineData("\"(file_count < version)\"", "banana,Cherry,nameless")]
    [InlineData("""["(file_count = version)","=",true]""", "apple")]
    [InlineData("""["name","=","x' OR '1'='1"]""", "")]
    public async Task Filter_selects(string filter, string expected)
    {
        var answer = await _data.ListAsync($"[{filter}]");

        Assert.True(answer.Status == 200, answer.Text);
        Assert.Equal(expected, string.Join(',', answer.ItemTexts("name").Select(name => name.Length == 0 ? "nameless" : name).Order(StringComparer.OrdinalIgnoreCase)));
        Assert.Equal(answer.Items.Count, answer.Json["items_available"]!.GetValue<int>());
    }

    [Theory]
    [InlineData("""["nosuch","=","x"]""")]
    [InlineData("""["manifest_text","=","x"]""")]
    [InlineData("""["name; DROP TABLE users","=","x"]""")]
    [InlineData("""["name","nosuch","x"]""")]
    [InlineData("""["name",5,"x"]""")]
    [InlineData("""["name","="]""")]
    [InlineData("""["name","in","x"]""")]
    [InlineData("""["name","like",5]""")]
    [InlineData("""["name",">",null]""")]
    [InlineData("""["replication_desired","=","many"]""")]
    [InlineData("""["created_at","=","yesterday"]""")]
    [InlineData("""["is_trashed","=","maybe"]""")]
    [InlineData("""["properties","contains",[]]""")]
    [InlineData("""["properties.x","exists","yes"]""")]
    [InlineData("""["any","@@","word"]""")]
    [InlineData("\"(name < version)\"")]
    [InlineData("\"((file_count < version))\"")]
    [InlineData("\"(file_count < version) OR 1\"")]
    [InlineData("5")]
    public async Task Bad_filter_is_422(string filter) => Assert.Equal(422, (await _data.ListAsync($"[{filter}]")).Status);

    [Fact]
    public async Task Filters_that_are_no_json_are_400_and_no_array_422()
    {
        Assert.Equal(400, (await _data.ListAsync("[[")).Status);
        Assert.Equal(422, (await _data.ListAsync("{\"a\":1}")).Status);
    }

    [Theory]
    [InlineData("name", "nameless,Cherry,apple,banana")]
    [InlineData("name desc", "banana,apple,Cherry,nameless")]
    [InlineData("[\"collections.name asc\"]", "nameless,Cherry,apple,banana")]
    [InlineData("[\"nosuch\", \"name sideways\", \"replication_desired desc\"]", "Cherry,banana,nameless,apple")]
    [InlineData("", "nameless,Cherry,banana,apple")]
    public async Task Order_sorts(string order, string expected)
    {
        var answer = await _data.ListAsync("[]", "&order=" + Uri.EscapeDataString(order));
        Assert.Equal(expected, string.Join(',', answer.ItemTexts("name").Select(name => name.Length == 0 ? "nameless" : name)));
    }

    [Fact]
    public async Task Select_returns_only_what_was_named()
    {
        var answer = await _data.ListAsync("[]", "&select=" + Uri.EscapeDataString("[\"name\",\"uuid\"]"));
        Assert.All(answer.Items, item => Assert.Equal(["etag", "kind", "name", "uuid"], item!.AsObject().Select(pair => pair.Key).Order(StringComparer.Ordinal)));
        Assert.Equal(422, (await _data.ListAsync("[]", "&select=" + Uri.EscapeDataString("[\"nosuch\"]"))).Status);
        Assert.False((await _data.ListAsync("[]")).Items[0]!.AsObject().ContainsKey("manifest_text"));
        Assert.True((await _data.ListAsync("[]", "&select=manifest_text")).Items[0]!.AsObject().ContainsKey("manifest_text"));
    }

    [Fact]
    public async Task Limit_and_offset_page_and_count_counts()
    {
        var first = await _data.ListAsync("[]", "&limit=3&order=uuid");
        var rest = await _data.ListAsync("[]", "&limit=3&offset=3&order=uuid&count=none");
        var none = await _data.ListAsync("[]", "&limit=0");

        Assert.Equal(3, first.Items.Count);
        Assert.Equal(4, first.Json["items_available"]!.GetValue<int>());
        Assert.Single(rest.Items);
        Assert.False(rest.Json.ContainsKey("items_available"));
        Assert.Empty(none.Items);
        Assert.Equal(4, none.Json["items_available"]!.GetValue<int>());
        Assert.Equal("arvados#collectionList", none.Text_("kind"));
        Assert.Equal(1000, (await _data.ListAsync("[]", "&limit=100000")).Json["limit"]!.GetValue<int>());
        Assert.Equal(422, (await _data.ListAsync("[]", "&limit=-1")).Status);
        Assert.Equal(422, (await _data.ListAsync("[]", "&limit=x")).Status);
        Assert.Equal(422, (await _data.ListAsync("[]", "&count=some")).Status);
    }

    [Fact]
    public async Task Distinct_collapses_equal_rows_and_shows_no_derived_attribute()
    {
        var answer = await _data.ListAsync("[]", "&distinct=true&select=" + Uri.EscapeDataString("[\"owner_uuid\",\"unsigned_manifest_text\"]"));
        Assert.Single(answer.Items);
        Assert.Equal(1, answer.Json["items_available"]!.GetValue<int>());
    }

    [Fact]
    public async Task Where_is_equality()
    {
        Assert.Equal(["apple"], (await _data.ListAsync("[]", "&where=" + Uri.EscapeDataString("{\"name\":\"apple\"}"))).ItemTexts("name"));
        Assert.Equal(2, (await _data.ListAsync("[]", "&where=" + Uri.EscapeDataString("{\"name\":[\"apple\",\"banana\"]}"))).Items.Count);
    }

    public abstract class Data(DatabaseKind database) : IAsyncLifetime
    {
        private TestCatalog _catalog = null!;

        public async Task InitializeAsync()
        {
            _catalog = await TestCatalog.StartAsync(database);
            await _catalog.CreateAsync(_catalog.ActiveToken, "collections", JsonNode.Parse("""
                {"name":"apple","description":"über alles","properties":{"color":"red","size":3},"manifest_text":". d41d8cd98f00b204e9800998ecf8427e+0 0:0:file.one\n"}
                """)!.AsObject());
            await _catalog.CreateAsync(_catalog.ActiveToken, "collections", JsonNode.Parse("""
                {"name":"banana","description":"100%","properties":{"color":"yellow","size":7},"replication_desired":2,"storage_classes_desired":["fast","archive"]}
                """)!.AsObject());
            await _catalog.CreateAsync(_catalog.ActiveToken, "collections", JsonNode.Parse("""
                {"name":"Cherry","properties":{"color":["dark","sweet"],"http://x.example/y":"uri","it's \"q\"":"quoted"},"replication_desired":3}
                """)!.AsObject());
            await _catalog.CreateAsync(_catalog.ActiveToken, "collections", []);
        }

        public async Task DisposeAsync() => await _catalog.DisposeAsync();

        internal Task<Answer> ListAsync(string filters, string more = "") =>
            _catalog.GetAsync(_catalog.ActiveToken, $"collections?filters={Uri.EscapeDataString(filters)}{more}");
    }

    public sealed class SqliteData() : Data(DatabaseKind.Sqlite);

    public sealed class PostgresData() : Data(DatabaseKind.Postgres);
}
