using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using KeepFs.Catalog.Storage;

namespace KeepFs.Catalog.Tests;

/// <summary>The same random requests are answered the same on both databases, but for UUIDs and times that nobody chose.</summary>
public sealed partial class SameAnswerTests
{
    private const int SequencesPerSeed = 25;
    private const int RequestsPerSequence = 12;

    private static int Seeds => Environment.GetEnvironmentVariable("KEEPFS_TEST_FULL") == "1" ? 80 : 8;

    public static TheoryData<int> AllSeeds => [.. Enumerable.Range(1, Seeds)];

    [Theory]
    [MemberData(nameof(AllSeeds))]
    public async Task Random_requests_are_answered_the_same_on_both_databases(int seed)
    {
        await using var sqlite = await TestCatalog.StartAsync(DatabaseKind.Sqlite);
        await using var postgres = await TestCatalog.StartAsync(DatabaseKind.Postgres);
        var sides = new[] { new Side(sqlite), new Side(postgres) };
        var requests = new RandomRequests(new Random(seed));
        for (var i = 0; i < SequencesPerSeed * RequestsPerSequence; i++)
        {
            var request = requests.Next();
            var left = await sides[0].SendAsync(request);
            var right = await sides[1].SendAsync(request);
            Assert.True(left.Text == right.Text, $"seed {seed}, request {i}: {request}\nSQLite:\n{left.Text}\nPostgreSQL:\n{right.Text}");
            requests.Made(request, left.Uuid is not null);
            if (left.Uuid is not null)
            {
                sides[0].Uuids.Add(left.Uuid);
                sides[1].Uuids.Add(right.Uuid!);
            }
        }

        Assert.True(requests.Succeeded > SequencesPerSeed, "nearly every request was refused: the test says nothing");
        await RequireWholeGraphAsync(sqlite);
        await RequireWholeGraphAsync(postgres);
    }

    /// <summary>What was kept up to date change by change is what it would be if it was computed now.</summary>
    private static async Task RequireWholeGraphAsync(TestCatalog catalog)
    {
        await using var database = catalog.OpenDatabase();
        var (kept, computed) = await database.WriteAsync(
            session =>
            {
                var before = Graph(session);
                PermissionGraph.Rebuild(session);
                return (before, Graph(session));
            },
            default);
        Assert.Equal(computed, kept);
    }

    private static List<string> Graph(CatalogSession session) =>
    [
        .. PermissionGraphTests.Reach(session).Select(entry => entry.ToString()).Order(StringComparer.Ordinal),
        .. session.Strings("SELECT group_uuid || trash_at FROM trashed_groups ORDER BY 1"),
        .. session.Strings("SELECT group_uuid FROM frozen_groups ORDER BY 1"),
    ];

    /// <summary>One catalogue, and its UUIDs by the numbers that requests have for them.</summary>
    private sealed partial class Side(TestCatalog catalog)
    {
        private readonly Dictionary<string, string> _names = [];

        /// <summary>What was made, in order.</summary>
        public List<string> Uuids { get; } = [catalog.ActiveUser, catalog.SpectatorUser];

        public async Task<(string Text, string? Uuid)> SendAsync(RandomRequest request)
        {
            catalog.Clock.Advance(request.Wait);
            var token = request.Who switch { 0 => catalog.AdminToken, 1 => catalog.ActiveToken, _ => catalog.SpectatorToken };
            var body = request.Body is null ? null : JsonNode.Parse(Place(request.Body))!.AsObject();
            var path = string.Concat(request.Path, request.Query.Count > 0 ? "?" : "", string.Join('&', request.Query.Select(pair => $"{pair.Key}={Uri.EscapeDataString(Place(pair.Value))}")));
            var answer = await catalog.SendAsync(token, request.Method, Place(path), body);
            var uuid = answer.Status == 200 && request.Makes ? answer.Text_("uuid") : null;
            return ($"{answer.Status} {Normal(answer.Text)}", uuid);
        }

        private string Place(string text) => Placeholder().Replace(text, match => Uuids[int.Parse(match.Groups[1].ValueSpan, System.Globalization.CultureInfo.InvariantCulture)]);

        private string Normal(string text)
        {
            text = Time().Replace(text, "TIME");
            text = Changing().Replace(text, "\"$1\":X");
            text = RequestId().Replace(text, "(req)");
            text = Signature().Replace(text, "+A");
            return Uuid().Replace(text, match =>
            {
                // The order in which they come up is the same when the answers are.
                if (!_names.TryGetValue(match.Value, out var name))
                {
                    _names[match.Value] = name = $"#{_names.Count}-{match.Groups[1].Value}";
                }

                return name;
            });
        }

        [GeneratedRegex("@(\\d+)@")]
        private static partial Regex Placeholder();

        [GeneratedRegex("\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d+Z")]
        private static partial Regex Time();

        [GeneratedRegex("\"(etag|error_token|id)\":(\"[^\"]*\"|\\d+)")]
        private static partial Regex Changing();

        [GeneratedRegex("\\+A[0-9a-f]{40}@[0-9a-f]{8}")]
        private static partial Regex Signature();

        [GeneratedRegex("\\(req-[a-z0-9]+\\)")]
        private static partial Regex RequestId();

        [GeneratedRegex("zzzzz-([a-z0-9]{5})-[a-z0-9]{15}")]
        private static partial Regex Uuid();
    }
}
