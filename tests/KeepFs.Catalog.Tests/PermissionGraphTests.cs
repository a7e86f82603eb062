using System.Globalization;
using KeepFs.Catalog.Storage;
using KeepFs.Hosting.Configuration;

namespace KeepFs.Catalog.Tests;

/// <summary>What SQL says of random graphs of users, groups and permission links is what the rules of catalog-api.md 12 say, followed path by path.</summary>
public abstract class PermissionGraphTests(DatabaseKind database)
{
    private const string Time = "2026-01-01T00:00:00.000000000Z";

    private static readonly bool IsFull = Environment.GetEnvironmentVariable("KEEPFS_TEST_FULL") == "1";

    [Fact]
    public async Task Reach_is_what_every_path_by_itself_gives()
    {
        var random = new Random(12);
        var (graphs, reached) = (database == DatabaseKind.Sqlite ? IsFull ? 10_000 : 400 : IsFull ? 1000 : 40, 0);
        var folder = Directory.CreateTempSubdirectory("keepfs-graphs-");
        var postgres = database == DatabaseKind.Postgres ? await PostgresDatabases.CreateAsync() : null;
        try
        {
            await using var catalog = CatalogDatabase.Open(
                new ClusterConfig
                {
                    ClusterId = TestCatalog.Cluster,
                    Catalog = new CatalogConfig { SqlitePath = Path.Combine(folder.FullName, "db") },
                    PostgreSQL = postgres ?? new PostgreSqlConfig(),
                },
                TimeProvider.System);
            for (var i = 0; i < graphs; i++)
            {
                var graph = Graph.Random(random);
                var found = await catalog.WriteAsync(
                    session =>
                    {
                        graph.Store(session);
                        PermissionGraph.Rebuild(session);
                        return Reach(session);
                    },
                    default);
                var expected = graph.Reach();
                Assert.True(expected.SetEquals(found), $"graph {i}: {graph}\nmissing: {string.Join(' ', expected.Except(found))}\ntoo much: {string.Join(' ', found.Except(expected))}");
                reached += expected.Count(entry => entry.User != entry.Target);
            }
        }
        finally
        {
            folder.Delete(recursive: true);
            if (postgres is not null)
            {
                await PostgresDatabases.DropAsync(postgres);
            }
        }

        Assert.True(reached > graphs, "users reached next to nothing: the test says nothing");
    }

    /// <summary>The table that all questions about permissions are answered from.</summary>
    internal static HashSet<(string User, string Target, long Level, long Owned)> Reach(CatalogSession session) =>
        [.. session.Read("SELECT user_uuid, target_uuid, level, owned_level FROM reachable", row => (row.GetString(0), row.GetString(1), row.GetInt64(2), row.GetInt64(3)))];

    /// <summary>Owners of groups, and links from and to anything.</summary>
    private sealed record Graph(string[] Users, Dictionary<string, string> OwnerOfGroup, List<(string Tail, string Head, string Level)> Links)
    {
        private static readonly string[] Levels = ["can_read", "can_write", "can_manage", "can_login"];

        public static Graph Random(Random random)
        {
            string[] users = [.. Enumerable.Range(0, random.Next(1, 5)).Select(i => Uuid("tpzed", i))];
            string[] groups = [.. Enumerable.Range(0, random.Next(9)).Select(i => Uuid("j7d0g", i))];
            string[] collections = [Uuid("4zz18", 0), Uuid("4zz18", 1)];
            string[] owners = [.. users, .. groups];
            string[] heads = [.. users, .. groups, .. groups, .. collections];
            return new Graph(
                users, groups.ToDictionary(group => group, _ => random.GetItems(owners, 1)[0]),
                [.. Enumerable.Range(0, random.Next(15)).Select(_ => (random.GetItems(owners, 1)[0], random.GetItems(heads, 1)[0], random.GetItems(Levels, 1)[0]))]);
        }

        public void Store(WriteSession session)
        {
            foreach (var table in (string[])["users", "groups", "links"])
            {
                session.Execute($"DELETE FROM {table}");
            }

            foreach (var user in Users)
            {
                session.Execute("INSERT INTO users (uuid, owner_uuid, created_at) VALUES (@p0, @p1, @p2)", user, TestCatalog.SystemUser, Time);
            }

            foreach (var (group, owner) in OwnerOfGroup)
            {
                session.Execute("INSERT INTO groups (uuid, owner_uuid, created_at, name, group_class) VALUES (@p0, @p1, @p2, @p0, 'project')", group, owner, Time);
            }

            for (var i = 0; i < Links.Count; i++)
            {
                session.Execute(
                    "INSERT INTO links (uuid, owner_uuid, created_at, tail_uuid, head_uuid, name, link_class) VALUES (@p0, @p1, @p2, @p3, @p4, @p5, 'permission')",
                    Uuid("o0j2j", i), TestCatalog.SystemUser, Time, Links[i].Tail, Links[i].Head, Links[i].Level);
            }
        }

        /// <summary>Every path that visits nothing twice: round trips only lower the level of a path.</summary>
        public HashSet<(string User, string Target, long Level, long Owned)> Reach()
        {
            var all = new HashSet<(string User, string Target, long Level, long Owned)>();
            foreach (var user in Users)
            {
                var best = new Dictionary<string, (long Level, long Owned)>();
                Follow(user, user, 3, 3, [], best);
                all.UnionWith(best.Select(entry => (user, entry.Key, entry.Value.Level, entry.Value.Owned)));
            }

            return all;
        }

        public override string ToString() =>
            string.Join(' ', OwnerOfGroup.Select(pair => $"{pair.Value[^3..]}>{pair.Key[6]}{pair.Key[^3..]}").Concat(Links.Select(link => $"{link.Tail[6]}{link.Tail[^3..]}-{link.Level}->{link.Head[6]}{link.Head[^3..]}")));

        private void Follow(string user, string node, long level, long last, HashSet<string> passed, Dictionary<string, (long Level, long Owned)> best)
        {
            var ownsHere = IsGroup(node) || (node.AsSpan(6, 5) is "tpzed" && last == 3) ? level : 0;
            var known = best.GetValueOrDefault(node);
            best[node] = (Math.Max(known.Level, level), Math.Max(known.Owned, ownsHere));
            if ((node != user && !IsGroup(node)) || !passed.Add(node))
            {
                return;
            }

            foreach (var (group, owner) in OwnerOfGroup)
            {
                if (owner == node)
                {
                    Follow(user, group, level, 3, passed, best);
                }
            }

            foreach (var (tail, head, name) in Links)
            {
                if (tail == node)
                {
                    var gives = name switch { "can_manage" => 3, "can_write" => 2, _ => 1 };
                    Follow(user, head, Math.Min(level, gives), gives, passed, best);
                }
            }

            passed.Remove(node);
        }

        private static bool IsGroup(string node) => node.AsSpan(6, 5) is "j7d0g";

        private static string Uuid(string infix, int number) => string.Create(CultureInfo.InvariantCulture, $"zzzzz-{infix}-{number:d15}");
    }
}
