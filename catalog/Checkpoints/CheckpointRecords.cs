using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using KeepFs.Catalog.Collections;
using KeepFs.Catalog.Exchange;
using KeepFs.Catalog.Records;
using KeepFs.Catalog.Requests;
using KeepFs.Catalog.Storage;

namespace KeepFs.Catalog.Checkpoints;

/// <summary>
/// Checkpoints as records: a project of the system user, whose collections keep the blocks from being garbage, and who makes the next one. Safe for
/// concurrent use.
/// </summary>
internal sealed class CheckpointRecords(CatalogContext catalog, BaseState baseState)
{
    /// <summary>Checkpoints that are kept, and full parts: what one damaged block takes away, an older one still has.</summary>
    public const int Kept = 3;

    /// <summary>A claim that was not renewed for so long belongs to a process that is gone; longer than a keepstore takes to store a block, retries included.</summary>
    private static readonly TimeSpan ClaimLasts = TimeSpan.FromMinutes(10);

    private const string ProjectName = "KeepFs checkpoints";

    private readonly string _project = catalog.Uuids.CheckpointProject;

    /// <summary>What there is; null before the first checkpoint.</summary>
    public CheckpointState? Read(CatalogSession session) => session.Scalar("SELECT properties FROM groups WHERE uuid = @p0", _project) is string json
        && CheckpointJson.TryParse(Encoding.UTF8.GetBytes(json), CheckpointJson.Default.CheckpointState) is { Lineage.Length: > 0, Parts: not null } state ? state : null;

    /// <summary>Something that a checkpoint holds may have changed since the last one.</summary>
    public bool HasChanged(CatalogSession session, CheckpointState? state)
    {
        if (baseState.IsFresh(session))
        {
            // One of nothing would be the newest when the volumes of a lost catalogue are served anew, and hide what is to be rebuilt.
            return false;
        }

        // Tokens are not in, and downloads change nothing.
        return state?.Head is null || state.Epoch != Epoch(session) || session.Scalar(
            """
            SELECT 1 FROM logs WHERE id > @p0 AND event_type IN ('create', 'update', 'delete', 'quota')
            AND object_uuid <> @p1 AND substr(object_uuid, 7, 5) <> @p2 AND substr(object_uuid, 1, length(@p3)) <> @p3 LIMIT 1
            """,
            state.Log, _project, RecordTypes.Tokens.Infix, catalog.Uuids.CheckpointPrefix) is not null;
    }

    /// <summary>All was computed anew, or came from elsewhere, when this changes.</summary>
    public static string Epoch(CatalogSession session) => (string)session.Scalar("SELECT epoch FROM reference_state")!;

    /// <summary>Takes the right to make the next one, and its number; null when another process has it. The rest of what it returns is about the one before.</summary>
    public CheckpointState? TryClaim(WriteSession session, string process)
    {
        var state = Read(session) ?? new CheckpointState { Lineage = RandomNumberGenerator.GetHexString(32, lowercase: true) };
        if (IsClaimedByOther(session, state, process))
        {
            return null;
        }

        EnsureProject(session);
        state = state with { Sequence = state.Sequence + 1 };
        Write(session, state with { ClaimedBy = process, ClaimedUntil = Timestamp.Format(session.Now + ClaimLasts) });
        return state;
    }

    /// <summary>False when the claim has gone to another process meanwhile.</summary>
    public bool Renew(WriteSession session, string process)
    {
        if (Read(session) is not { } state || state.ClaimedBy != process)
        {
            return false;
        }

        Write(session, state with { ClaimedUntil = Timestamp.Format(session.Now + ClaimLasts) });
        return true;
    }

    public void Release(WriteSession session, string process)
    {
        if (Read(session) is { } state && state.ClaimedBy == process)
        {
            Write(session, state with { ClaimedBy = null, ClaimedUntil = null });
        }
    }

    /// <summary>Saves the collection that holds the blocks.</summary>
    public Task<string> CreateAsync(CheckpointMark mark, string manifest, CancellationToken ct)
    {
        var attributes = JsonSerializer.SerializeToElement(
            new Dictionary<string, JsonElement>
            {
                ["uuid"] = Text($"{catalog.Uuids.CheckpointPrefix}{RandomNumberGenerator.GetString("0123456789abcdefghijklmnopqrstuvwxyz", Uuids.Length - catalog.Uuids.CheckpointPrefix.Length)}"),
                ["owner_uuid"] = Text(_project),
                ["name"] = Text($"Checkpoint {mark.Sequence} of {mark.At}"),
                ["properties"] = JsonSerializer.SerializeToElement(mark, CheckpointJson.Default.CheckpointMark),
                ["manifest_text"] = Text(manifest),
            },
            WireJson.Default.IReadOnlyDictionaryStringJsonElement);
        return new CollectionWriter(catalog).CreateAsync(
            Bootstrap.SystemCaller(catalog.Uuids), new AttributeSet(attributes.EnumerateObject().Select(property => KeyValuePair.Create(property.Name, property.Value))),
            new CollectionOptions { EnsureUniqueName = true }, ct);
    }

    /// <summary>Remembers the new one, ends the claim and removes those that are not needed any more.</summary>
    public void Finish(WriteSession session, CheckpointState state)
    {
        EnsureProject(session);
        Write(session, state with { ClaimedBy = null, ClaimedUntil = null });
        foreach (var uuid in Superseded(List(session)))
        {
            TrashSweep.Delete(session, catalog.Uuids, RecordTypes.Collections, uuid);
        }
    }

    /// <summary>The collections, and what they say.</summary>
    public List<(string Uuid, CheckpointMark Mark)> List(CatalogSession session) =>
    [
        .. session.Read(
            "SELECT uuid, properties FROM collections WHERE owner_uuid = @p0 AND uuid >= @p1 AND uuid < @p2 AND uuid = current_version_uuid",
            row => (row.GetString(0), CheckpointJson.TryParse(Encoding.UTF8.GetBytes(row.GetString(1)), CheckpointJson.Default.CheckpointMark)!),
            _project, catalog.Uuids.CheckpointPrefix, catalog.Uuids.CheckpointPrefix + "~").Where(found => found.Item2 is { At: not null }),
    ];

    /// <summary>All but the newest, and the newest on each of the newest full parts.</summary>
    private static IEnumerable<string> Superseded(List<(string Uuid, CheckpointMark Mark)> all)
    {
        all.Sort((a, b) => string.CompareOrdinal(b.Mark.At, a.Mark.At));
        var kept = all.Take(Kept).Concat(all.DistinctBy(checkpoint => checkpoint.Mark.FullSequence).Take(Kept)).Select(checkpoint => checkpoint.Uuid).ToHashSet();
        return all.Select(checkpoint => checkpoint.Uuid).Where(uuid => !kept.Contains(uuid));
    }

    private static bool IsClaimedByOther(WriteSession session, CheckpointState state, string process) =>
        state.ClaimedBy is { } other && other != process && string.CompareOrdinal(state.ClaimedUntil, session.NowText) > 0
        // A clock that was put back must not hold everything up, nor a claim that came with records from elsewhere.
        && string.CompareOrdinal(state.ClaimedUntil, Timestamp.Format(session.Now + ClaimLasts)) <= 0
        && (state.Epoch is null || state.Epoch == Epoch(session));

    private static JsonElement Text(string text) => JsonSerializer.SerializeToElement(text, WireJson.Default.String);

    private void Write(WriteSession session, CheckpointState state) => RecordStore.Update(
        session, RecordTypes.Groups, _project, new Dictionary<string, object?> { ["properties"] = JsonSerializer.Serialize(state, CheckpointJson.Default.CheckpointState) });

    private void EnsureProject(WriteSession session)
    {
        if (RecordStore.Exists(session, RecordTypes.Groups, _project))
        {
            return;
        }

        var system = catalog.Uuids.SystemUser;
        RecordStore.Insert(session, new Row(RecordTypes.Groups)
        {
            ["uuid"] = _project,
            ["owner_uuid"] = system,
            ["created_at"] = session.NowText,
            ["modified_at"] = session.NowText,
            ["modified_by_user_uuid"] = system,
            ["name"] = UniqueNames.Resolve(session, RecordTypes.Groups, _project, system, ProjectName, ensureUnique: true),
            ["group_class"] = "project",
            ["description"] = "Copies of the catalogue as blocks, from which keepfs catalog rebuild makes it anew when only the volumes are left.",
        });
        PermissionGraph.AddGroup(session, _project, system);
    }
}
