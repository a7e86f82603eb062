using System.Globalization;
using System.Text.Json.Nodes;
using KeepFs.Engine.Manifests;

namespace KeepFs.Catalog.Tests.Fuzz;

/// <summary>Versions and trash of collections under random changes, against catalog-api.md 5 and 6 as a few lines of code.</summary>
public abstract class VersionModelTests(DatabaseKind database) : IAsyncLifetime
{
    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan TrashLifetime = TimeSpan.FromHours(720);
    private static readonly TimeSpan SigningLifetime = TimeSpan.FromHours(336);

    private static int Steps => Environment.GetEnvironmentVariable("KEEPFS_TEST_FULL") == "1" ? 20_000 : 400;

    private TestCatalog _catalog = null!;

    public async Task InitializeAsync() => _catalog = await TestCatalog.StartAsync(
        database, config => config with { Collections = config.Collections with { DefaultTrashLifetime = TrashLifetime, BlobSigningTTL = SigningLifetime, PreserveVersionIfIdle = Idle } });

    public async Task DisposeAsync() => await _catalog.DisposeAsync();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Versions_and_trash_are_what_the_rules_say(int seed)
    {
        var random = new Random(seed);
        var models = new List<Model>();
        var (versions, swept) = (0, 0);
        for (var i = 0; i < Steps; i++)
        {
            while (models.Count < 4)
            {
                models.Add(await CreateAsync(i * 10 + models.Count));
            }

            var model = models[random.Next(models.Count)];
            var what = $"seed {seed}, step {i}: {await StepAsync(random, model, models)}";
            await CheckAsync(model, what);
            versions = Math.Max(versions, model.Past.Count);
            swept += models.RemoveAll(other => other.IsGone);
        }

        Assert.True(versions > 3 && swept > 3, $"only {versions} versions, {swept} swept");
    }

    private async Task<Model> CreateAsync(int number)
    {
        var model = new Model($"c{number}") { Now = new Content($"c{number} a", null, "{}", ""), Modified = Time };
        model.Uuid = await _catalog.CreateAsync(_catalog.ActiveToken, "collections", new JsonObject { ["name"] = model.Now.Name });
        return model;
    }

    private DateTimeOffset Time => _catalog.Clock.GetUtcNow();

    /// <summary>Does something to the server and the same to the model.</summary>
    private async Task<string> StepAsync(Random random, Model model, List<Model> all)
    {
        switch (random.Next(12))
        {
            case 0:
                var trash = await _catalog.PostAsync(_catalog.ActiveToken, $"collections/{model.Uuid}/trash");
                Assert.Equal(model.IsDeleted(Time) ? 404 : 200, trash.Status);
                if (!model.IsTrashed(Time))
                {
                    model.SetTrash(Time, Time + TrashLifetime, Time);
                }

                return "trash";
            case 1:
                var delete = await _catalog.DeleteAsync(_catalog.ActiveToken, $"collections/{model.Uuid}");
                Assert.Equal(model.IsDeleted(Time) ? 404 : 200, delete.Status);
                if (!model.IsDeleted(Time))
                {
                    var at = model.IsTrashed(Time) ? model.TrashAt!.Value : Time;
                    var earliest = at + SigningLifetime;
                    model.SetTrash(at, model.IsTrashed(Time) && model.DeleteAt < earliest ? model.DeleteAt.Value : earliest, Time);
                }

                return "delete";
            case 2 or 3:
                var untrash = await _catalog.PostAsync(_catalog.ActiveToken, $"collections/{model.Uuid}/untrash");
                var isTrashed = model.IsTrashed(Time) && !model.IsDeleted(Time);
                Assert.Equal(model.IsDeleted(Time) ? 404 : isTrashed ? 200 : 422, untrash.Status);
                if (isTrashed)
                {
                    model.SetTrash(null, null, Time);
                }

                return "untrash";
            case 4:
                var later = random.Next(3) == 0 ? (DateTimeOffset?)null : Time.AddHours(random.Next(1, 4));
                var expire = await _catalog.PutAsync(_catalog.ActiveToken, $"collections/{model.Uuid}", new JsonObject { ["trash_at"] = later?.ToString("O", CultureInfo.InvariantCulture) });
                Assert.Equal(model.IsTrashed(Time) ? 404 : 200, expire.Status);
                if (!model.IsTrashed(Time) && later != model.TrashAt)
                {
                    model.SetTrash(later, later + TrashLifetime, Time);
                }

                return $"trash_at {later:O}";
            case 5:
                _catalog.Clock.Advance(random.Next(4) switch { 0 => TimeSpan.FromDays(31), 1 => TimeSpan.FromHours(2), _ => TimeSpan.FromSeconds(30) });
                return "time";
            case 6:
                Assert.Equal(204, (await _catalog.PostAsync(_catalog.AdminToken, "/sys/trash_sweep")).Status);
                foreach (var other in all)
                {
                    other.IsGone = other.IsDeleted(Time);
                }

                return "sweep";
            default:
                return await UpdateAsync(random, model);
        }
    }

    private async Task<string> UpdateAsync(Random random, Model model)
    {
        var (next, body) = (model.Now, new JsonObject());
        if (random.Next(3) == 0)
        {
            body["name"] = (next = next with { Name = $"{model.Key} {"abc"[random.Next(3)]}" }).Name;
        }

        if (random.Next(4) == 0)
        {
            body["description"] = (next = next with { Description = random.Next(3) == 0 ? null : $"{random.Next(3)}" }).Description;
        }

        if (random.Next(4) == 0)
        {
            body["properties"] = JsonNode.Parse((next = next with { Properties = $$"""{"n":{{random.Next(3)}}}""" }).Properties);
        }

        if (random.Next(4) == 0)
        {
            var text = $"content {random.Next(3)}";
            body["manifest_text"] = _catalog.OneFile("file", text, _catalog.ActiveToken);
            next = next with { Manifest = text };
        }

        bool? preserve = random.Next(4) switch { 0 => true, 1 => false, _ => null };
        if (preserve is { } given)
        {
            body["preserve_version"] = given;
        }

        var answer = await _catalog.PutAsync(_catalog.ActiveToken, $"collections/{model.Uuid}", body);
        Assert.Equal(model.IsTrashed(Time) ? 404 : 200, answer.Status);
        if (!model.IsTrashed(Time))
        {
            model.Change(next, preserve is true, Time);
        }

        return body.ToJsonString();
    }

    private async Task CheckAsync(Model model, string what)
    {
        var (plain, trash) = (await _catalog.GetAsync(_catalog.ActiveToken, $"collections/{model.Uuid}"), await _catalog.GetAsync(_catalog.ActiveToken, $"collections/{model.Uuid}?include_trash=true"));
        Assert.True(plain.Status == (model.IsTrashed(Time) ? 404 : 200), $"{what}: {plain.Status}");
        Assert.True(trash.Status == (model.IsDeleted(Time) ? 404 : 200), $"{what}: with trash {trash.Status}");
        var filter = Uri.EscapeDataString(new JsonArray(new JsonArray("current_version_uuid", "=", model.Uuid)).ToJsonString());
        var all = await _catalog.GetAsync(_catalog.ActiveToken, $"collections?include_old_versions=true&include_trash=true&limit=1000&order=version&filters={filter}");
        var expected = model.IsDeleted(Time) ? [] : model.Past.Append(model.Now).Select((content, i) => $"{i + 1}: {content.Name} {content.Description} {content.Properties} {Hash(content)}").ToList();
        var shown = all.Items.Select(item => $"{item!["version"]}: {item["name"]} {item["description"]} {item["properties"]!.ToJsonString()} {item["portable_data_hash"]}").ToList();
        Assert.True(expected.SequenceEqual(shown), $"{what}:\n{string.Join('\n', expected)}\nbut:\n{string.Join('\n', shown)}");
        Assert.All(all.Items, item => Assert.True(IsAbout(model.TrashAt, item!["trash_at"]) && IsAbout(model.DeleteAt, item["delete_at"]), $"{what}: {model.TrashAt:O} {model.DeleteAt:O}, but {item}"));
        if (trash.Status == 200)
        {
            Assert.True(trash.Json["preserve_version"]!.GetValue<bool>() == model.Preserves && trash.Json["version"]!.GetValue<int>() == model.Past.Count + 1, $"{what}: {trash.Text}");
        }
    }

    private string Hash(Content content) => PortableDataHash.Compute(
        content.Manifest.Length == 0 ? [] : ManifestSigner.Strip(System.Text.Encoding.UTF8.GetBytes(_catalog.OneFile("file", content.Manifest, _catalog.ActiveToken))));

    private static bool IsAbout(DateTimeOffset? expected, JsonNode? shown) =>
        expected is null ? shown is null : shown is not null && (DateTimeOffset.Parse(shown.GetValue<string>(), CultureInfo.InvariantCulture) - expected.Value).Duration() < TimeSpan.FromSeconds(1);

    private sealed record Content(string Name, string? Description, string Properties, string Manifest);

    private sealed class Model(string key)
    {
        public string Key => key;

        public string Uuid { get; set; } = "";

        public required Content Now { get; set; }

        public List<Content> Past { get; } = [];

        public bool Preserves { get; private set; }

        public DateTimeOffset Modified { get; set; }

        public DateTimeOffset? TrashAt { get; private set; }

        public DateTimeOffset? DeleteAt { get; private set; }

        public bool IsGone { get; set; }

        public bool IsTrashed(DateTimeOffset now) => IsGone || TrashAt <= now;

        public bool IsDeleted(DateTimeOffset now) => IsGone || DeleteAt <= now;

        public void SetTrash(DateTimeOffset? trashAt, DateTimeOffset? deleteAt, DateTimeOffset now) => (TrashAt, DeleteAt, Modified) = (trashAt, deleteAt, now);

        public void Change(Content next, bool preserves, DateTimeOffset now)
        {
            var isKept = next != Now && (Preserves || preserves || now - Modified >= Idle);
            if (isKept)
            {
                Past.Add(Now);
            }

            Preserves = preserves || (Preserves && !isKept);
            Modified = next != Now ? now : Modified;
            Now = next;
        }
    }
}
