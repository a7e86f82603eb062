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
    // Statements are compiled once for each number of rows, which are powers of two.
    private const int RowsAtOnce = 256;
    private const int FamiliesAtOnce = 100;
    private const string InsertReferences = "INSERT INTO block_refs (family, block, since) VALUES ";

    /// <summary>A collection is new.</summary>
    /// <param name="session">The transaction, in which the record is written already.</param>
    /// <param name="id">Its number.</param>
    /// <param name="delta">What it holds.</param>
    public static void Created(WriteSession session, long id, BlockDelta delta) => Apply(session, id, delta, version: 1, keepsBefore: false);

    /// <summary>A collection's content has changed.</summary>
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
        var old = session.Strings(
            $"SELECT current_version_uuid FROM collections WHERE uuid <> current_version_uuid AND {session.Dialect.In("current_version_uuid", "@p0")}",
            SqlList.Of(families.Select(family => family.Uuid))).ToHashSet();
        foreach (var (id, uuid) in families.Where(family => old.Contains(family.Uuid)))
        {
            FillFamily(session, id, uuid);
        }

        FillNew(session, [.. families.Where(family => !old.Contains(family.Uuid)).Select(family => family.Id)]);
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

    /// <summary>Collections without past versions, which most are: all at once.</summary>
    private static void FillNew(WriteSession session, long[] families)
    {
        var (blocks, uses) = (new Dictionary<BlockHash, int>(), new List<(long Family, long Version, BlockHash[] Blocks)>());
        session.Each(
            $"SELECT id, version, manifest_text FROM collections WHERE manifest_text IS NOT NULL AND {session.Dialect.In("id", "@p0")} ORDER BY id",
            row =>
            {
                var sizes = ManifestBlocks.Sizes((byte[])row.GetValue(2));
                uses.Add((row.GetInt64(0), row.GetInt64(1), [.. sizes.Keys]));
                foreach (var (hash, size) in sizes)
                {
                    blocks[hash] = size;
                }
            },
            SqlList.Of(families));
        var ids = Ensure(session, [.. blocks]);
        Insert(session, InsertReferences, [.. uses.SelectMany(use => use.Blocks.Select(hash => ids[hash]).Order().Select(id => new object?[] { use.Family, id, use.Version }))]);
    }

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

        Insert(session, InsertReferences, [.. Ensure(session, delta.Added).Values.Order().Select(id => new object?[] { family, id, version })]);
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
        var found = new Dictionary<BlockHash, long>(hashes.Count);
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

    /// <summary>Numbers of blocks; those that are not there get one.</summary>
    private static Dictionary<BlockHash, long> Ensure(WriteSession session, IReadOnlyList<KeyValuePair<BlockHash, int>> blocks)
    {
        if (blocks.Count == 0)
        {
            return [];
        }

        // With the last number in the same statement: nobody else writes meanwhile.
        var last = 0L;
        var wanted = blocks.ToDictionary(block => Halves(block.Key), block => block.Key);
        var ids = new Dictionary<BlockHash, long>(blocks.Count);
        foreach (var chunk in wanted.Keys.Chunk(1000))
        {
            session.Each($"SELECT id, high, low FROM blocks WHERE {session.Dialect.In("high", "@p0")} UNION ALL SELECT coalesce(max(id), 0), NULL, NULL FROM blocks", row =>
            {
                if (row.IsDBNull(1))
                {
                    last = row.GetInt64(0);
                }
                else if (wanted.TryGetValue((row.GetInt64(1), row.GetInt64(2)), out var hash))
                {
                    ids[hash] = row.GetInt64(0);
                }
            }, SqlList.Of(chunk.Select(halves => halves.High)));
        }

        var missing = blocks.Where(block => !ids.ContainsKey(block.Key)).ToList();
        if (missing.Count > 0)
        {
            Insert(session, "INSERT INTO blocks (id, high, low, size) VALUES ", [.. missing.Select(block =>
            {
                var (high, low) = Halves(block.Key);
                ids[block.Key] = ++last;
                return new object?[] { last, high, low, (long)block.Value };
            })]);
        }

        return ids;
    }

    private static void Insert(WriteSession session, string head, List<object?[]> rows)
    {
        for (var at = 0; at < rows.Count;)
        {
            var count = Math.Min(RowsAtOnce, 1 << System.Numerics.BitOperations.Log2((uint)(rows.Count - at)));
            var sql = session.Sql(head).Join(", ", rows.GetRange(at, count).Select<object?[], Action<SqlText>>(row => text =>
            {
                text.Append("(").Join(", ", row.Select<object?, Action<SqlText>>(value => t => t.Value(value))).Append(")");
            }));
            session.Later(sql);
            at += count;
        }
    }
}
