using System.Text;
using System.Text.Json.Nodes;
using KeepFs.Catalog.Records;

namespace KeepFs.Catalog.Tests.Fuzz;

/// <summary>Random filters, orders and pages on random records give what <see cref="FilterModel"/> says.</summary>
public abstract class RandomFilterTests(DatabaseKind database) : IAsyncLifetime
{
    private const int Records = 80;

    private static readonly string[] Words = ["apple", "Apple", "äpfel", "ÄPFEL", "100%", "a_b", "back\\slash", "𝄞 clef", "two words", "x", "İi", "'; DROP TABLE users; --", "\"q\"", "5", "new\nline"];
    private static readonly string[] Keys = ["color", "size", "http://x.example/y", "it's", "é", "a.b", "nested", "flag"];
    private static readonly string[] Times = ["2020-01-01T00:00:00Z", "2021-06-15T12:30:00.123456Z", "2022-02-02T02:02:02Z", "2023-03-03T03:03:03.000003Z"];
    private static readonly string[] Texts = ["name", "description", "uuid", "owner_uuid", "portable_data_hash", "current_version_uuid", "modified_by_user_uuid", "file_names"];
    private static readonly string[] Numbers = ["replication_desired", "version", "file_count", "file_size_total", "replication_confirmed"];
    private static readonly string[] Ordered = ["name", "description", "uuid", "created_at", "modified_at", "replication_desired", "version", "is_trashed", "portable_data_hash", "file_count", "trash_at", "owner_uuid"];

    private static int Filters => Environment.GetEnvironmentVariable("KEEPFS_TEST_FULL") == "1" ? 50_000 : 1_000;

    private TestCatalog _catalog = null!;

    public async Task InitializeAsync() => _catalog = await TestCatalog.StartAsync(database);

    public async Task DisposeAsync() => await _catalog.DisposeAsync();

    [Fact]
    public async Task Lists_are_what_the_words_of_the_specification_say()
    {
        var random = new Random(17);
        var lines = string.Concat(Enumerable.Range(0, Records).Select(i => Record(random, i).ToJsonString() + "\n"));
        var imported = await _catalog.ImportAsync(_catalog.AdminToken, lines);
        Assert.True(imported.Status == 200, imported.Text);
        var columns = string.Join(", ", RecordTypes.Collections.StoredColumns.Where(column => column.Kind != ColumnKind.Manifest).Select(column => column.Name));
        var rows = await _catalog.Server.Database.ReadAsync(session => session.Rows(session.Sql($"SELECT {columns} FROM collections"), RecordTypes.Collections), default);
        Assert.Equal(Records, rows.Count);
        var (some, all) = (0, 0);
        for (var i = 0; i < Filters; i++)
        {
            // Parsed again, as the server does: numbers are what their text is.
            var filters = JsonNode.Parse(new JsonArray([.. Enumerable.Range(0, random.Next(1, 3)).Select(_ => Filter(random, rows))]).ToJsonString())!.AsArray();
            var order = Enumerable.Range(0, random.Next(3)).Select(_ => (Column: Pick(random, Ordered), IsDescending: random.Next(2) == 0)).ToList();
            var (limit, offset) = (random.Next(1, 40), random.Next(4) == 0 ? random.Next(20) : 0);
            var expected = FilterModel.Sort(rows.Where(row => FilterModel.Matches(row, filters)), order);
            var query = $"filters={Uri.EscapeDataString(filters.ToJsonString())}&order={Uri.EscapeDataString(string.Join(',', order.Select(term => $"{term.Column} {(term.IsDescending ? "desc" : "asc")}")))}&limit={limit}&offset={offset}";

            var answer = await _catalog.GetAsync(_catalog.AdminToken, $"collections?include_trash=true&include_old_versions=true&{query}");

            Assert.True(answer.Status == 200, $"{i}: {filters.ToJsonString()}: {answer.Text}");
            Assert.True(
                expected.Skip(offset).Take(limit).Select(row => row.Uuid).SequenceEqual(answer.ItemTexts("uuid")) && expected.Count == answer.Json["items_available"]!.GetValue<int>(),
                $"{i}: {filters.ToJsonString()} by {string.Join(',', order)}, {limit} from {offset}: expected {expected.Count}: {string.Join(' ', expected.Select(Describe))}\nbut there are {answer.Json["items_available"]}: {string.Join(' ', answer.ItemTexts("uuid").Select(uuid => Describe(rows.Single(row => row.Uuid == uuid))))}");
            some += expected.Count > 0 ? 1 : 0;
            all += expected.Count == Records ? 1 : 0;
        }

        // Filters that find nothing, or everything, say little.
        Assert.InRange(some - all, Filters / 4, Filters);
    }

    private static string Describe(Row row) => $"[{row.Uuid[^4..]} {row["name"]} {row["description"]} {row["properties"]} {row["replication_desired"]} {row["version"]}]";

    private static JsonObject Record(Random random, int i)
    {
        var uuid = $"zzzzz-4zz18-{i:d15}";
        var line = new JsonObject
        {
            ["kind"] = "arvados#collection",
            ["uuid"] = uuid,
            ["name"] = random.Next(5) == 0 ? null : $"{Pick(random, Words)}{(random.Next(2) == 0 ? "" : " " + Pick(random, Words))} {i}",
            ["description"] = random.Next(3) == 0 ? null : Pick(random, Words),
            ["properties"] = Properties(random),
            ["replication_desired"] = random.Next(3) == 0 ? null : random.Next(4),
            ["created_at"] = Pick(random, Times),
            ["modified_at"] = Pick(random, Times),
            ["storage_classes_desired"] = random.Next(2) == 0 ? new JsonArray("default") : new JsonArray("fast", "archive"),
            ["manifest_text"] = random.Next(3) switch
            {
                0 => "",
                1 => $". 37b51d194a7513e45b56f6524f2d51f2+3 0:3:file{random.Next(3)}.txt\n",
                _ => ". d41d8cd98f00b204e9800998ecf8427e+0 0:0:empty\n./dir 37b51d194a7513e45b56f6524f2d51f2+3 0:3:bar\n",
            },
        };
        if (random.Next(4) == 0)
        {
            (line["trash_at"], line["delete_at"], line["is_trashed"]) = (Pick(random, Times), "2099-01-01T00:00:00Z", true);
        }

        if (i % 10 == 9)
        {
            // A past version of the one before.
            (line["current_version_uuid"], line["version"]) = ($"zzzzz-4zz18-{i - 1:d15}", 2 + random.Next(5));
        }

        return line;
    }

    private static JsonObject Properties(Random random)
    {
        var properties = new JsonObject();
        for (var i = random.Next(5); i > 0; i--)
        {
            properties[Pick(random, Keys)] = Value(random, depth: 0);
        }

        return properties;
    }

    private static JsonNode? Value(Random random, int depth) => random.Next(depth > 1 ? 6 : 9) switch
    {
        0 or 1 => Pick(random, Words),
        2 => random.Next(10),
        3 => random.Next(10) + 0.5,
        4 => random.Next(2) == 0,
        5 => null,
        6 => JsonNode.Parse(Pick(random, ["1.0", "1", "-3", "5.0", "0.5"])),
        7 => new JsonArray([.. Enumerable.Range(0, random.Next(3)).Select(_ => Value(random, depth + 1))]),
        _ => new JsonObject { [Pick(random, Keys)] = Value(random, depth + 1) },
    };

    private static JsonNode Filter(Random random, List<Row> rows)
    {
        var row = rows[random.Next(rows.Count)];
        switch (random.Next(16))
        {
            case 0 or 1:
                return Text(random, rows, Pick(random, Texts));
            case 2:
                var text = Text(random, rows, Pick(random, Texts)).AsArray();
                text[0] = new JsonArray([.. Enumerable.Range(0, 2).Select(_ => (JsonNode)Pick(random, Texts))]);
                return text;
            case 3:
                return Number(random, row, Pick(random, Numbers));
            case 4:
                var time = Pick(random, ["created_at", "modified_at", "trash_at"]);
                return random.Next(4) == 0 ? new JsonArray(time, Pick(random, ["=", "!="]), null) : new JsonArray(time, Pick(random, ["=", "!=", "<>", "<", "<=", ">", ">="]), Pick(random, Times));
            case 5:
                return new JsonArray("is_trashed", Pick(random, ["=", "!=", "<>"]), random.Next(3) switch { 0 => true, 1 => "f", _ => "yes" });
            case 6:
                return new JsonArray(Pick(random, ["uuid", "owner_uuid"]), "is_a", random.Next(2) == 0 ? Pick(random, ["arvados#user", "arvados#collection"]) : new JsonArray("arvados#group", "arvados#collection"));
            case 7:
                return random.Next(2) == 0
                    ? new JsonArray("properties", Pick(random, ["exists", "contains"]), Pick(random, Keys))
                    : new JsonArray(Pick(random, ["properties", "storage_classes_desired"]), "contains", new JsonArray(Pick(random, [.. Keys, "fast", "default"])));
            case 8:
                return new JsonArray("storage_classes_desired", Pick(random, ["=", "!="]), random.Next(2) == 0 ? "[\"default\"]" : new JsonArray("fast", "archive"));
            case 9:
                var comparison = $"({Pick(random, Numbers)} {Pick(random, ["=", "<", "<=", ">", ">="])} {Pick(random, Numbers)})";
                return random.Next(2) == 0 ? comparison : new JsonArray(comparison, "=", random.Next(2) == 0);
            case 10:
                return random.Next(4) switch
                {
                    0 => random.Next(2) == 0 ? new JsonArray("any", "=", row.Text("name") ?? "x") : new JsonArray("any", "in", new JsonArray(Pick(random, Words), row.Text("name"))),
                    1 => new JsonArray("any", "=", random.Next(4)),
                    2 => new JsonArray("any", "contains", Pick(random, Keys)),
                    _ => new JsonArray("any", Pick(random, ["like", "ilike"]), $"%{Part(random, Pick(random, Words))}%"),
                };
            default:
                return Property(random, row);
        }
    }

    private static JsonArray Text(Random random, List<Row> rows, string attribute)
    {
        var value = rows[random.Next(rows.Count)].Text(attribute);
        return random.Next(8) switch
        {
            0 => new JsonArray(attribute, Pick(random, ["=", "!=", "<>"]), random.Next(3) == 0 ? "" : null),
            1 => new JsonArray(attribute, Pick(random, ["in", "NOT IN", "not in"]), new JsonArray([value, random.Next(2) == 0 ? null : Pick(random, Words)])),
            2 or 3 => new JsonArray(attribute, Pick(random, ["like", "ilike", "ILIKE"]), Pattern(random, value ?? Pick(random, Words))),
            4 or 5 => new JsonArray(attribute, Pick(random, ["<", "<=", ">", ">="]), value ?? Pick(random, Words)),
            _ => new JsonArray(attribute, Pick(random, ["=", "!=", "<>"]), value ?? Pick(random, Words)),
        };
    }

    private static JsonArray Number(Random random, Row row, string attribute)
    {
        var value = row.Integer(attribute) ?? random.Next(4);
        return random.Next(4) switch
        {
            0 => new JsonArray(attribute, Pick(random, ["=", "!="]), null),
            1 => new JsonArray(attribute, Pick(random, ["in", "not in"]), random.Next(2) == 0 ? new JsonArray(value, random.Next(4)) : new JsonArray(value, null)),
            2 => new JsonArray(attribute, Pick(random, ["=", "!=", ">"]), value.ToString(System.Globalization.CultureInfo.InvariantCulture)),
            _ => new JsonArray(attribute, Pick(random, ["=", "!=", "<", "<=", ">", ">="]), value),
        };
    }

    private static JsonArray Property(Random random, Row row)
    {
        var properties = JsonNode.Parse(row.Text("properties")!)!.AsObject();
        var key = properties.Count > 0 && random.Next(4) > 0 ? properties.ElementAt(random.Next(properties.Count)).Key : Pick(random, Keys);
        var value = properties[key]?.DeepClone() ?? Value(random, depth: 1);
        var name = key.StartsWith("http", StringComparison.Ordinal) && random.Next(2) == 0 ? $"properties.<{key}>" : $"properties.{key}";
        switch (random.Next(7))
        {
            case 0:
                return new JsonArray(name, "exists", random.Next(2) == 0);
            case 1:
                return new JsonArray(name, Pick(random, ["in", "not in"]), new JsonArray(value, Value(random, depth: 1)));
            case 2 or 3 when value is JsonValue scalar && scalar.GetValueKind() is System.Text.Json.JsonValueKind.String or System.Text.Json.JsonValueKind.Number:
                return new JsonArray(name, Pick(random, ["<", "<=", ">", ">="]), value);
            case 4:
                var text = value is JsonValue given && given.TryGetValue<string>(out var exact) ? exact : value?.ToJsonString() ?? "null";
                return new JsonArray(name, Pick(random, ["like", "ilike"]), Pattern(random, text));
            case 5:
                return new JsonArray(name, "contains", value is JsonArray { Count: > 0 } list ? list[0]?.DeepClone() : value);
            default:
                return new JsonArray(name, Pick(random, ["=", "!=", "<>"]), value);
        }
    }

    /// <summary>One that often matches the text.</summary>
    private static string Pattern(Random random, string text)
    {
        var pattern = new StringBuilder();
        foreach (var rune in Part(random, text).EnumerateRunes())
        {
            _ = random.Next(8) switch
            {
                0 => pattern.Append('_'),
                1 => pattern.Append('%'),
                2 => pattern.Append('\\').Append(rune.ToString()),
                3 => pattern.Append(rune.ToString().ToUpperInvariant()),
                _ => pattern.Append(rune.ToString()),
            };
        }

        return (random.Next(2) == 0 ? "%" : "") + pattern + (random.Next(2) == 0 ? "%" : "");
    }

    private static string Part(Random random, string text)
    {
        var runes = text.EnumerateRunes().Select(rune => rune.ToString()).ToArray();
        var from = random.Next(2) == 0 ? 0 : random.Next(runes.Length);
        return string.Concat(runes[from..(random.Next(2) == 0 ? runes.Length : random.Next(from, runes.Length + 1))]);
    }

    private static string Pick(Random random, string[] choices) => choices[random.Next(choices.Length)];
}
