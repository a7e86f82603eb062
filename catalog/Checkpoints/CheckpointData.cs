using System.IO.Compression;
using System.IO.Pipelines;
using System.Security.Cryptography;
using KeepFs.Catalog.Exchange;
using KeepFs.Catalog.Records;
using KeepFs.Catalog.Storage;

namespace KeepFs.Catalog.Checkpoints;

/// <summary>Which records a checkpoint holds, and how they become a part. Safe for concurrent use.</summary>
internal sealed class CheckpointData(CatalogContext catalog)
{
    /// <summary>A collection, with all its versions, that is gone since the part before.</summary>
    public const string Deleted = "keepfs#deleted";

    /// <summary>Parts that build on a full one before the next is full: rebuilding reads them all, and a full one a day keeps old faults from staying unseen.</summary>
    private const int MaxChanges = 24;

    /// <summary>Changes of less than this are never too many for a full part; more than half of it are.</summary>
    private const long MinChangedBytes = 1 << 20;

    /// <summary>More changed collections than this are not looked up one by one.</summary>
    private const int MaxFamilies = 100_000;

    // Tokens would have to lie there as secrets or as something to guess them by: new ones are made after a rebuild. Locks have ended by then, and logs
    // are no part of what is stored.
    private static readonly ExchangeKind[] Kinds =
        [.. ExchangeKinds.All.Where(kind => kind.Type != RecordTypes.Collections && kind.Type != RecordTypes.Logs && kind != ExchangeKinds.Tokens && kind != ExchangeKinds.DavLocks)];

    private static readonly ExchangeKind Collections = ExchangeKinds.All.Single(kind => kind.Type == RecordTypes.Collections);

    /// <summary>UUIDs of the collections that changed since the last checkpoint; null when a full part is needed.</summary>
    public List<string>? ChangedFamilies(CatalogSession session, CheckpointState state)
    {
        const string Changes = "FROM logs WHERE event_type IN ('create', 'update', 'delete')";
        if (state.Parts.Count == 0 || state.Parts.Count > MaxChanges || state.Epoch != CheckpointRecords.Epoch(session)
            || state.Parts.Skip(1).Sum(part => part.Bytes) > Math.Max(MinChangedBytes, state.Parts[0].Bytes / 2)
            // Gaps before the oldest may be records that were swept.
            || session.Scalar($"SELECT min(id) {Changes}") is not long oldest || oldest > state.Log + 1)
        {
            return null;
        }

        var families = session.Strings(
            $"""
            SELECT DISTINCT object_uuid {Changes} AND id > @p0 AND substr(object_uuid, 7, 5) = @p1 AND substr(object_uuid, 1, length(@p2)) <> @p2 LIMIT {MaxFamilies}
            """,
            state.Log, RecordTypes.Collections.Infix, catalog.Uuids.CheckpointPrefix);
        // Admins may write any log record.
        return families.Count < MaxFamilies ? [.. families.Where(Uuids.IsUuid)] : null;
    }

    /// <summary>The number of the newest log record.</summary>
    public static long NewestLog(CatalogSession session) => (long)session.Scalar("SELECT coalesce(max(id), 0) FROM logs")!;

    /// <summary>Records by table, checkpoints left out.</summary>
    public Dictionary<string, long> Count(CatalogSession session) => new(StringComparer.Ordinal)
    {
        ["users"] = session.Count(session.Sql("SELECT count(*) FROM users")),
        ["groups"] = session.Count(session.Sql("SELECT count(*) FROM groups")),
        ["links"] = session.Count(session.Sql("SELECT count(*) FROM links")),
        ["collections"] = session.Count(NotCheckpoint(session.Sql("SELECT count(*) FROM collections WHERE uuid = current_version_uuid AND "))),
        ["past versions"] = session.Count(session.Sql("SELECT count(*) FROM collections WHERE uuid <> current_version_uuid")),
    };

    /// <summary>Writes a part.</summary>
    /// <param name="session">A snapshot.</param>
    /// <param name="families">The collections to write, with their versions; null for all.</param>
    /// <param name="store">Gets each block, and returns its locator. The memory is used again afterwards.</param>
    /// <param name="ct">Ends the work.</param>
    public async Task<CheckpointPart> WriteAsync(CatalogSession session, List<string>? families, Func<ReadOnlyMemory<byte>, CancellationToken, Task<string>> store, CancellationToken ct)
    {
        using var sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using var cutter = new BlockCutter(store);
        long records, bytes;
        await using (var compressed = new BrotliStream(cutter, CompressionLevel.Fastest, leaveOpen: true))
        await using (var counted = new HashedStream(compressed, sha))
        {
            var pipe = PipeWriter.Create(counted, new StreamPipeWriterOptions(leaveOpen: true));
            await using (var lines = new ExportLines(catalog, pipe))
            {
                await lines.BeginAsync(ct);
                foreach (var kind in Kinds)
                {
                    await lines.WriteAsync(session, kind, condition: null, ct);
                }

                await WriteCollectionsAsync(lines, session, families, ct);
                records = lines.Records;
                await lines.EndAsync(ct);
            }

            await pipe.CompleteAsync();
            bytes = counted.Bytes;
        }

        await cutter.FinishAsync(ct);
        return new CheckpointPart(IsFull: families is null, records, bytes, Convert.ToHexStringLower(sha.GetHashAndReset()), cutter.Stored);
    }

    private async Task WriteCollectionsAsync(ExportLines lines, CatalogSession session, List<string>? families, CancellationToken ct)
    {
        if (families is null)
        {
            await lines.WriteAsync(session, Collections, sql => NotCheckpoint(sql), ct);
            return;
        }

        foreach (var family in families)
        {
            var before = lines.Records;
            await lines.WriteAsync(session, Collections, sql => sql.Append("current_version_uuid = ").Value(family), ct);
            if (lines.Records == before)
            {
                await lines.WriteAsync(Deleted, family, ct);
            }
        }
    }

    // A checkpoint that held the ones before would grow for ever.
    private SqlText NotCheckpoint(SqlText sql) => sql.Append($"substr(uuid, 1, {catalog.Uuids.CheckpointPrefix.Length}) <> ").Value(catalog.Uuids.CheckpointPrefix);
}
