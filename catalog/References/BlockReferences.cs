using System.Buffers.Binary;
using KeepFs.Catalog.Storage;
using KeepFs.Engine.Blocks;
using KeepFs.Engine.Manifests;

namespace KeepFs.Catalog.References;

/// <summary>
/// Keeps <c>block_refs</c> equal to what manifests say, past versions and the trash included; every change of content calls it inside its own transaction.
/// What a change costs follows the blocks that it adds and removes, not those that stay.
/// </summary>
internal static class BlockReferences
{
    // Statements are compiled once for each number of rows.
    private const int RowsAtOnce = 64;
    private const int FamiliesAtOnce = 100;

    /// <summary>A collection's content has changed, or it is new.</summary>
    /// <param name="session">The transaction, in which the record is written already.</param>
    /// <param name="uuid">Of the current version.</param>
    /// <param name="delta">What has changed.</param>
    /// <param name="version">The version that the collection has now.</param>
    /// <param name="keepsBefore">The content from before is kept as a past version.</param>
    public static void Changed(WriteSession session, string uuid, BlockDelta delta, long version, bool keepsBefore)
    {
        if (delta.Added.Count > 0 || delta.Removed.Count > 0)
        {
            Apply(session, (long)session.Scalar("SELECT id FROM collections WHERE uuid = @p0", uuid)!, delta, version, keepsBefore);
        }
    }

    /// <summary>A collection with all its versions is about to go.</summary>
    public static void Deleting(WriteSession session, string uuid)
    {
        if (session.Scalar("SELECT id FROM collections WHERE uuid = @p0 AND uuid = current_version_uuid", uuid) is not long family)
        {
            // A past version goes with its main record.
            return;
        }

        session.Execute(
            """
            DELETE FROM blocks WHERE id IN (SELECT block FROM block_refs WHERE family = @p0)
            AND NOT EXISTS (SELECT 1 FROM block_refs r WHERE r.block = blocks.id AND r.family <> @p0)
            """,
            family);
        session.Execute("DELETE FROM block_refs WHERE family = @p0", family);
    }

    /// <summary>All tables are as they once were; whoever follows changes must begin again.</summary>
    public static void Restored(WriteSession session)
    {
        session.Execute("UPDATE reference_state SET epoch = @p0", NewEpoch());
        FillAll(session);
    }

    /// <summary>Records have come from elsewhere: everything is computed anew.</summary>
    public static void Rebuild(WriteSession session)
    {
        Clear(session);
        FillAll(session);
    }

    /// <summary>Nothing is filled in yet, as in a database from before there were references.</summary>
    public static void Clear(WriteSession session)
    {
        session.Execute("DELETE FROM block_refs");
        session.Execute("DELETE FROM blocks");
        session.Execute("DELETE FROM reference_state");
        session.Execute("INSERT INTO reference_state (id, epoch, filled) VALUES (1, @p0, 0)", NewEpoch());
    }

    /// <summary>Computes the references of some collections that are not in yet; true when there may be more.</summary>
    public static bool Fill(WriteSession session)
    {
        if (session.Scalar("SELECT filled FROM reference_state") is not long filled)
        {
            return false;
        }

        var families = session.Read(
            $"SELECT id, uuid FROM collections WHERE id > @p0 AND uuid = current_version_uuid ORDER BY id LIMIT {FamiliesAtOnce}", row => (Id: row.GetInt64(0), Uuid: row.GetString(1)), filled);
        foreach (var (id, uuid) in families)
        {
            FillFamily(session, id, uuid);
        }

        session.Execute("UPDATE reference_state SET filled = @p0", families.Count == FamiliesAtOnce ? families[^1].Id : null);
        return families.Count == FamiliesAtOnce;
    }

    /// <summary>The two halves under which a block is stored.</summary>
    public static (long High, long Low) Halves(BlockHash hash)
    {
        Span<byte> digest = stackalloc byte[16];
        hash.CopyTo(digest);
        return (BinaryPrimitives.ReadInt64BigEndian(digest), BinaryPrimitives.ReadInt64BigEndian(digest[8..]));
    }

    private static void FillAll(WriteSession session)
    {
        while (Fill(session))
        {
        }
    }

    private static string NewEpoch() => Guid.NewGuid().ToString("N");

    private static void FillFamily(WriteSession session, long family, string uuid)
    {
        var before = new Dictionary<BlockHash, int>();
        var versions = session.Read("SELECT version FROM collections WHERE current_version_uuid = @p0 ORDER BY version", row => row.GetInt64(0), uuid);
        foreach (var version in versions)
        {
            var manifest = session.Read(
                "SELECT manifest_text FROM collections WHERE current_version_uuid = @p0 AND version = @p1", row => row.IsDBNull(0) ? [] : (byte[])row.GetValue(0), uuid, version).Single();
            var after = ManifestBlocks.Sizes(manifest);
            Apply(session, family, BlockDelta.Between(before, after), version, keepsBefore: true);
            before = after;
        }
    }

    private static void Apply(WriteSession session, long family, BlockDelta delta, long version, bool keepsBefore)
    {
        if (delta.Removed.Count > 0)
        {
            Remove(session, family, Find(session, delta.Removed).Values, keepsBefore ? version : version + 1, version);
        }

        var ids = Ensure(session, delta.Added);
        Insert(session, "INSERT INTO block_refs (family, block, since) VALUES ", [.. ids.Select(id => new object?[] { family, id, version })]);
    }

    // A block that came with the version that now loses it was never used by another.
    private static void Remove(WriteSession session, long family, IEnumerable<long> blocks, long keptBelow, long version)
    {
        foreach (var chunk in blocks.Chunk(1000))
        {
            var list = SqlList.Of(chunk);
            if (keptBelow > version)
            {
                session.Execute($"DELETE FROM block_refs WHERE family = @p0 AND until IS NULL AND since = @p2 AND {session.Dialect.In("block", "@p1")}", family, list, version);
            }

            session.Execute($"UPDATE block_refs SET until = @p2 WHERE family = @p0 AND until IS NULL AND {session.Dialect.In("block", "@p1")}", family, list, version - 1);
            session.Execute($"DELETE FROM blocks WHERE {session.Dialect.In("id", "@p0")} AND NOT EXISTS (SELECT 1 FROM block_refs r WHERE r.block = blocks.id)", list);
        }
    }

    /// <summary>Numbers of blocks; those that are not there are left out.</summary>
    private static Dictionary<BlockHash, long> Find(CatalogSession session, IReadOnlyList<BlockHash> hashes)
    {
        var wanted = hashes.ToDictionary(Halves);
        var found = new Dictionary<BlockHash, long>();
        foreach (var chunk in wanted.Keys.Chunk(1000))
        {
            session.Each($"SELECT id, high, low FROM blocks WHERE {session.Dialect.In("high", "@p0")}", row =>
            {
                if (wanted.TryGetValue((row.GetInt64(1), row.GetInt64(2)), out var hash))
                {
                    found[hash] = row.GetInt64(0);
                }
            }, SqlList.Of(chunk.Select(halves => halves.High)));
        }

        return found;
    }

    private static List<long> Ensure(WriteSession session, IReadOnlyList<KeyValuePair<BlockHash, int>> blocks)
    {
        if (blocks.Count == 0)
        {
            return [];
        }

        var known = Find(session, [.. blocks.Select(block => block.Key)]);
        var ids = known.Values.ToList();
        var missing = blocks.Where(block => !known.ContainsKey(block.Key)).ToList();
        if (missing.Count > 0)
        {
            // Nobody else writes meanwhile.
            var last = (long)session.Scalar("SELECT coalesce(max(id), 0) FROM blocks")!;
            var rows = missing.Select((block, i) =>
            {
                var (high, low) = Halves(block.Key);
                return new object?[] { last + 1 + i, high, low, (long)block.Value };
            }).ToList();
            Insert(session, "INSERT INTO blocks (id, high, low, size) VALUES ", rows);
            ids.AddRange(rows.Select(row => (long)row[0]!));
        }

        ids.Sort();
        return ids;
    }

    private static void Insert(WriteSession session, string head, List<object?[]> rows)
    {
        for (var at = 0; at < rows.Count;)
        {
            var count = rows.Count - at >= RowsAtOnce ? RowsAtOnce : 1;
            var sql = session.Sql(head).Join(", ", rows.GetRange(at, count).Select<object?[], Action<SqlText>>(row => text =>
            {
                text.Append("(").Join(", ", row.Select<object?, Action<SqlText>>(value => t => t.Value(value))).Append(")");
            }));
            session.Execute(sql);
            at += count;
        }
    }
}
