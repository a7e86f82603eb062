using System.Globalization;
using System.Text.Json.Nodes;

namespace KeepFs.Catalog.Tests;

/// <summary>Fills a catalogue with records of every kind, by what users and admins do.</summary>
internal sealed class RandomRecords(TestCatalog catalog, Random random)
{
    private static readonly string[] Names = ["plain", "ü umlaut", "quo\"te", "back\\slash", "new\nline", "<html> & 'so' on", "𝄞 clef", "\u0001 control"];

    public async Task MakeAsync()
    {
        var owners = new List<string> { catalog.ActiveUser };
        for (var i = 0; i < 6; i++)
        {
            owners.Add(await catalog.CreateAsync(catalog.ActiveToken, "groups", new JsonObject
            {
                ["name"] = Name(i),
                ["group_class"] = "project",
                ["owner_uuid"] = One(owners),
                ["description"] = random.Next(2) == 0 ? null : Name(i),
                ["properties"] = Properties(),
            }));
        }

        var collections = new List<string>();
        for (var i = 0; i < 12; i++)
        {
            collections.Add(await catalog.CreateAsync(catalog.ActiveToken, "collections", new JsonObject
            {
                ["name"] = random.Next(4) == 0 ? null : Name(i),
                ["owner_uuid"] = One(owners),
                ["manifest_text"] = random.Next(5) == 0 ? "" : catalog.OneFile($"file{i}", Name(i), catalog.ActiveToken),
                ["properties"] = Properties(),
                ["replication_desired"] = random.Next(3) == 0 ? 3 : null,
                ["preserve_version"] = random.Next(2) == 0,
            }));
        }

        for (var i = 0; i < 25; i++)
        {
            catalog.Clock.Advance(TimeSpan.FromSeconds(random.Next(30)));
            var uuid = One(collections);
            await catalog.PutAsync(catalog.ActiveToken, $"collections/{uuid}", random.Next(3) switch
            {
                0 => new JsonObject { ["manifest_text"] = catalog.OneFile("changed", $"content {i}", catalog.ActiveToken) },
                1 => new JsonObject { ["properties"] = Properties() },
                _ => new JsonObject { ["name"] = Name(100 + i) },
            });
        }

        await catalog.PostAsync(catalog.ActiveToken, $"collections/{collections[0]}/trash");
        await catalog.PutAsync(catalog.ActiveToken, $"collections/{collections[1]}", new JsonObject { ["trash_at"] = catalog.Clock.GetUtcNow().AddDays(1).ToString("O") });
        await catalog.PostAsync(catalog.ActiveToken, $"groups/{owners[^1]}/trash");
        foreach (var level in (string[])["can_read", "can_write", "can_manage"])
        {
            await catalog.PostAsync(catalog.ActiveToken, "links", new JsonObject
            {
                ["link_class"] = "permission",
                ["name"] = level,
                ["tail_uuid"] = catalog.SpectatorUser,
                ["head_uuid"] = One(owners[1..]),
            });
        }

        await catalog.CreateAsync(catalog.ActiveToken, "links", new JsonObject { ["link_class"] = "tag", ["name"] = Name(7), ["head_uuid"] = collections[2], ["properties"] = Properties() });
        await catalog.CreateAsync(catalog.AdminToken, "users", new JsonObject { ["username"] = "u" + random.Next(10000).ToString(CultureInfo.InvariantCulture), ["last_name"] = Name(1), ["prefs"] = Properties() });
        await catalog.CreateAsync(catalog.AdminToken, "users", new JsonObject { ["email"] = "nobody@example.net", ["is_active"] = false });
        await catalog.CreateAsync(catalog.ActiveToken, "api_client_authorizations", new JsonObject
        {
            ["scopes"] = new JsonArray($"GET /arvados/v1/collections/{collections[3]}"),
            ["expires_at"] = catalog.Clock.GetUtcNow().AddHours(random.Next(1, 100)).ToString("O"),
        });
        await catalog.CreateAsync(catalog.ActiveToken, "logs", new JsonObject { ["object_uuid"] = collections[2], ["event_type"] = "file_download", ["properties"] = Properties() });
        await catalog.CreateAsync(catalog.AdminToken, "keep_services", new JsonObject { ["service_host"] = "keep9.example", ["service_port"] = 25107, ["service_ssl_flag"] = true });
        await catalog.PutAsync(catalog.AdminToken, $"/keepfs/v1/quotas/{owners[1]}", new JsonObject { ["soft_bytes"] = 1, ["hard_collections"] = 1000 });
        var dav = new[]
        {
            new JsonObject { ["kind"] = "keepfs#davProperty", ["uuid"] = collections[2], ["path"] = "dir/" + Name(3), ["namespace"] = "", ["name"] = "colour", ["value"] = "<colour>red</colour>" },
            new JsonObject { ["kind"] = "keepfs#davProperty", ["uuid"] = collections[2], ["path"] = "", ["namespace"] = "urn:x", ["name"] = Name(4), ["value"] = "" },
            new JsonObject
            {
                ["kind"] = "keepfs#davLock", ["token"] = "opaquelocktoken:1", ["uuid"] = collections[2], ["path"] = "a/b", ["is_shared"] = true, ["is_infinite"] = false,
                ["holder"] = catalog.ActiveUser, ["expires_at"] = catalog.Clock.GetUtcNow().AddMinutes(9).ToString("O"), ["owner"] = null,
            },
        };
        var answer = await catalog.ImportAsync(catalog.AdminToken, string.Join('\n', dav.Select(line => line.ToJsonString())));
        Assert.True(answer.Status == 200, answer.Text);
    }

    private string One(List<string> of) => of[random.Next(of.Count)];

    private string Name(int number) => string.Create(CultureInfo.InvariantCulture, $"{Names[random.Next(Names.Length)]} {number}");

    private JsonObject Properties() => random.Next(3) switch
    {
        0 => [],
        1 => new JsonObject { ["z"] = Name(1), ["a"] = new JsonArray(1, 2.50m, null, true), ["nested"] = new JsonObject { ["k"] = Name(2) } },
        _ => new JsonObject { [Name(9)] = random.Next(), ["exp"] = 1e300 },
    };
}
