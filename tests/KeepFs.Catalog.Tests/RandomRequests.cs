using System.Text.Json.Nodes;

namespace KeepFs.Catalog.Tests;

/// <summary>What clients may ask, at random: things are made, changed, shared, trashed and, above all, looked for.</summary>
internal sealed class RandomRequests(Random random)
{
    private static readonly string[] Texts =
    [
        "a", "A", "ab", "aB", "ä", "Ä", "ÄB", "ǅ", "İ", "ı", "ß", "ẞ", "Σς", "𐐀𐐨", "𝄞", "a b", "100%", "a_b", "a\\b", "a\\", "%", "_", "it's", "\"q\"", "", " ", "\u0001", "\uffff", "zzzzz", "1", "1.0", "true", "null",
        "\u0000",
    ];

    private static readonly string[] Keys = ["k", "K", "size", "http://x/y", "it's", "ä", "\"q\""];
    private static readonly string[] TextColumns = ["name", "description", "portable_data_hash", "owner_uuid", "modified_by_user_uuid"];
    private static readonly string[] Operators = ["=", "!=", "<>", "<", "<=", ">", ">=", "like", "ilike", "in", "not in", "exists", "contains", "is_a", "nosuch"];

    // Kinds of what was made; the first two are users.
    private readonly List<string> _made = ["user", "user"];

    public int Succeeded { get; private set; }

    public void Made(RandomRequest request, bool isMade)
    {
        if (isMade)
        {
            _made.Add(request.Path);
            Succeeded++;
        }
    }

    public RandomRequest Next()
    {
        var who = random.Next(4) switch { 0 => 0, 1 => 2, _ => 1 };
        return random.Next(20) switch
        {
            0 or 1 => Create(who, "groups", new JsonObject { ["name"] = Text(), ["group_class"] = One("project", "project", "role", "filter", "bad"), ["owner_uuid"] = Owner(), ["properties"] = Properties(), ["description"] = Text() }),
            2 or 3 or 4 => Create(who, "collections", new JsonObject { ["name"] = Text(), ["owner_uuid"] = Owner(), ["properties"] = Properties(), ["description"] = random.Next(2) == 0 ? null : Text(), ["replication_desired"] = random.Next(3) == 0 ? random.Next(4) : null, ["manifest_text"] = One("", ". d41d8cd98f00b204e9800998ecf8427e+0 0:0:a.txt\n", ". d41d8cd98f00b204e9800998ecf8427e+0 0:0:Ä.txt\n") }),
            5 => Create(who, "links", new JsonObject { ["link_class"] = "permission", ["name"] = One("can_read", "can_write", "can_manage"), ["tail_uuid"] = Any("user", "groups"), ["head_uuid"] = Any("groups", "collections") }),
            6 => Create(who, "links", new JsonObject { ["link_class"] = One("tag", "star"), ["name"] = Text(), ["head_uuid"] = Any("collections", "groups"), ["properties"] = Properties() }),
            7 or 8 => Change(who),
            9 => new RandomRequest(who, HttpMethod.Post, $"{Kind(out var trashed)}/{trashed}/{One("trash", "untrash")}"),
            10 => new RandomRequest(who, HttpMethod.Delete, $"{One("links", "collections", "groups")}/{Any("links", "collections", "groups")}"),
            11 => new RandomRequest(0, HttpMethod.Post, "/sys/trash_sweep") { Wait = TimeSpan.FromHours(random.Next(200)) },
            12 => Look(who, $"groups/{Any("groups", "user")}/contents", isMixed: true),
            13 => Look(who, "groups/shared", isMixed: true),
            14 => new RandomRequest(who, HttpMethod.Get, $"{Kind(out var uuid)}/{uuid}") { Query = { ["include_trash"] = One("true", "false") } },
            15 => Look(who, One("links", "groups", "users"), isMixed: false),
            _ => Look(who, "collections", isMixed: false),
        };
    }

    private static RandomRequest Post(int who, string path, JsonObject body) => new(who, HttpMethod.Post, path) { Body = body.ToJsonString(), Makes = true };

    // No unique names: what is added to them is random, and so would be the order of lists.
    private RandomRequest Create(int who, string type, JsonObject body) =>
        Post(who, type, body) with { Query = random.Next(3) == 0 ? new() { ["select"] = "[\"uuid\",\"name\",\"properties\"]" } : [] };

    private RandomRequest Change(int who)
    {
        var body = random.Next(6) switch
        {
            0 => new JsonObject { ["name"] = Text() },
            1 => new JsonObject { ["properties"] = Properties() },
            2 => new JsonObject { ["owner_uuid"] = Owner() },
            3 => new JsonObject { ["description"] = Text(), ["preserve_version"] = true },
            4 => new JsonObject { ["trash_at"] = One("2001-01-01T00:00:00Z", "2999-01-01T00:00:00Z", "rubbish") },
            _ => new JsonObject { ["frozen_by_uuid"] = "@0@", ["replication_desired"] = 2 },
        };
        return new RandomRequest(who, HttpMethod.Put, $"{Kind(out var uuid)}/{uuid}") { Body = body.ToJsonString() };
    }

    private RandomRequest Look(int who, string path, bool isMixed)
    {
        var query = new Dictionary<string, string>();
        var filters = new JsonArray([.. Enumerable.Range(0, random.Next(3)).Select(_ => (JsonNode)Filter())]);
        if (filters.Count > 0)
        {
            query["filters"] = filters.ToJsonString();
        }

        if (random.Next(2) == 0)
        {
            query["limit"] = One("0", "1", "3", "1000");
            query["offset"] = One("0", "1", "2");
        }

        // By UUID alone the order is that of random numbers.
        if (random.Next(2) == 0)
        {
            query["order"] = One("name", "name desc", "description asc, modified_at desc", "replication_desired desc, name", "file_count, created_at", "modified_at", "portable_data_hash, modified_at", "nosuch");
        }

        if (!isMixed && random.Next(4) == 0)
        {
            query["select"] = One("[\"name\"]", "[\"name\",\"description\"]", "[\"properties\"]");
            query["distinct"] = "true";
            query["order"] = "name";
        }

        foreach (var flag in (string[])["include_trash", "include_old_versions", "recursive", "exclude_home_project"])
        {
            if (random.Next(5) == 0)
            {
                query[flag] = "true";
            }
        }

        if (query.ContainsKey("include_old_versions"))
        {
            query["order"] = "name, version, modified_at";
            query["limit"] = "0";
        }

        return new RandomRequest(who, HttpMethod.Get, path) { Query = query };
    }

    private JsonArray Filter()
    {
        var attribute = random.Next(10) switch
        {
            0 or 1 or 2 => "properties." + One(Keys),
            3 => One("replication_desired", "version", "file_count", "file_size_total"),
            4 => One("is_trashed", "preserve_version"),
            5 => "any",
            6 => One("properties", "storage_classes_desired"),
            7 => One("uuid", "head_uuid", "nosuch", "trash_at"),
            _ => One(TextColumns),
        };
        var op = attribute.EndsWith("uuid", StringComparison.Ordinal) ? One("=", "!=", "in", "not in", "is_a") : One(Operators);
        return [attribute, op, Operand(attribute, op)];
    }

    private JsonNode? Operand(string attribute, string op) => random.Next(12) == 0 ? Value(0) : op switch
    {
        "in" or "not in" => new JsonArray([.. Enumerable.Range(0, random.Next(4)).Select(_ => Scalar(attribute))]),
        "like" or "ilike" => One("%", "a%", "A%", "%b", "_", "__", "a\\_b", "a\\\\%", "%\\%%", "a\\", "%Ä%", "ä%", "", "%σ%", "%𐐨%"),
        "exists" => attribute.Contains('.', StringComparison.Ordinal) ? random.Next(2) == 0 : One(Keys),
        "contains" => attribute.Contains('.', StringComparison.Ordinal) ? Value(1) : One([.. Keys, "default"]),
        "is_a" => One("arvados#collection", "arvados#group", "arvados#nosuch"),
        _ => Scalar(attribute),
    };

    private JsonNode? Scalar(string attribute) => attribute switch
    {
        "replication_desired" or "version" or "file_count" or "file_size_total" => random.Next(4),
        "is_trashed" or "preserve_version" => random.Next(2) == 0,
        "uuid" or "owner_uuid" or "head_uuid" => Any("user", "groups", "collections"),
        "trash_at" => random.Next(2) == 0 ? null : "2020-01-01T00:00:00Z",
        _ when attribute.StartsWith("properties.", StringComparison.Ordinal) => Value(1),
        _ => random.Next(8) == 0 ? null : Text(),
    };

    private JsonObject Properties() => new(Enumerable.Range(0, random.Next(4)).Select(_ => One(Keys)).Distinct().Select(key => KeyValuePair.Create(key, Value(2))));

    private JsonNode? Value(int depth) => random.Next(depth > 0 ? 9 : 7) switch
    {
        0 => null,
        1 => random.Next(2) == 0,
        2 => random.Next(-2, 5),
        3 => JsonNode.Parse(One("1.0", "1.5", "0.1", "-0", "1e3", "1E-2", "12345678901234567", "1e400")),
        7 => new JsonArray([.. Enumerable.Range(0, random.Next(3)).Select(_ => Value(depth - 1))]),
        8 => new JsonObject { ["inner"] = Value(depth - 1) },
        _ => Text(),
    };

    private string Kind(out string uuid)
    {
        var kind = One("collections", "collections", "groups");
        uuid = Any(kind);
        return kind;
    }

    private string Owner() => Any("groups", "groups", "user");

    private string Any(params string[] kinds)
    {
        var kind = One(kinds);
        var found = Enumerable.Range(0, _made.Count).Where(i => _made[i] == kind).ToList();
        return found.Count == 0 ? "@0@" : $"@{found[random.Next(found.Count)]}@";
    }

    private string Text() => random.Next(40) == 0 ? "\u0000" : Texts[random.Next(Texts.Length - 1)];

    private string One(params string[] choices) => choices[random.Next(choices.Length)];
}
