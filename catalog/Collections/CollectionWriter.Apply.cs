using KeepFs.Catalog.Logs;
using KeepFs.Catalog.Permissions;
using KeepFs.Catalog.Quotas;
using KeepFs.Catalog.Records;
using KeepFs.Catalog.References;
using KeepFs.Catalog.Storage;
using KeepFs.Engine.Manifests;

namespace KeepFs.Catalog.Collections;

/// <content>The changes of an update inside the write transaction: versions, trash, names, owners (catalog-api.md 4.4, 5, 6).</content>
internal sealed partial class CollectionWriter
{
    // Past versions follow the main record in these.
    private static readonly string[] Synced =
        ["owner_uuid", "trash_at", "delete_at", "is_trashed", "replication_desired", "storage_classes_desired"];

    private static readonly string[] Plain =
        ["description", "replication_desired", "replication_confirmed", "replication_confirmed_at", "storage_classes_confirmed_at"];

    private void Apply(
        WriteSession session, Caller caller, Row before, Dictionary<string, object?> given, PreparedContent? content, bool ensureUniqueName)
    {
        RequireNoVersionChange(before, given);
        RequireMayConfirm(caller, given);
        var after = before.Clone();
        SetAttributes(after, given);
        if (content is { IsChanged: true })
        {
            SetContent(after, content.Content);
            if (content.Blocks.Added.Count > 0)
            {
                after["replication_confirmed"] = null;
                after["replication_confirmed_at"] = null;
            }
        }
        else if (content is null && given.GetValueOrDefault("portable_data_hash") is string hash && !PortableDataHash.Matches(hash, before.Text("portable_data_hash")!))
        {
            throw ApiException.Invalid($"portable_data_hash {hash} does not match the manifest, whose hash is {before.Text("portable_data_hash")}");
        }

        var trash = TrashState.Of(before).With(given, session.Now, catalog.Config.Collections);
        Save(session, caller, before, after, trash, given.GetValueOrDefault("preserve_version") is 1L, ensureUniqueName, content?.Blocks);
    }

    /// <summary>Writes the difference between two states of a collection, if there is one.</summary>
    private void Save(WriteSession session, Caller caller, Row before, Row after, TrashState trash, bool preserve, bool ensureUniqueName, BlockDelta? blocks = null)
    {
        var uuid = before.Uuid;
        var state = new Dictionary<string, object?>(StringComparer.Ordinal);
        trash.CopyTo(state);
        foreach (var (name, value) in state)
        {
            after[name] = value;
        }

        RequireMove(session, caller, before, after);
        ManagedProperties.RequireUnchanged(caller, catalog.Config.Collections.ManagedProperties, before, after);
        var nameMoves = !Equals(before["name"], after["name"]) || !Equals(before["owner_uuid"], after["owner_uuid"]) || (before.Flag("is_trashed") && !trash.IsTrashed);
        if (nameMoves && !trash.IsTrashed)
        {
            after["name"] = UniqueNames.Resolve(session, RecordTypes.Collections, uuid, after.Text("owner_uuid")!, after.Text("name"), ensureUniqueName);
        }

        var makesVersion = MakesVersion(session, before, after, trash, preserve);
        after["preserve_version"] = (makesVersion ? preserve : preserve || before.Flag("preserve_version")) ? 1L : 0L;
        var changes = after.Values
            .Where(pair => RecordTypes.Collections.Find(pair.Key) is { IsDerived: false } && !(before.Has(pair.Key) && Row.SameValue(pair.Value, before[pair.Key])))
            .ToDictionary(pair => pair.Key, pair => pair.Value, StringComparer.Ordinal);
        if (changes.Count == 0)
        {
            return;
        }

        var onlyPreserves = changes.Count == 1 && changes.ContainsKey("preserve_version");
        if (!onlyPreserves)
        {
            changes["modified_at"] = after["modified_at"] = session.NowText;
            changes["modified_by_user_uuid"] = after["modified_by_user_uuid"] = caller.UserUuid;
        }

        var past = makesVersion ? KeepVersion(session, before) : null;
        if (past is not null)
        {
            changes["version"] = after["version"] = before.Integer("version") + 1;
        }

        RecordStore.Update(session, RecordTypes.Collections, uuid, changes);
        if (past is not null)
        {
            session.Execute("UPDATE collections SET version = -version WHERE uuid = @p0", past);
        }

        SyncVersions(session, uuid, changes);
        OwnerUsage.Changed(session, before, after);
        if (blocks is not null)
        {
            BlockReferences.Changed(session, uuid, blocks, after.Integer("version") ?? 1, keepsBefore: past is not null);
        }

        QuotaCheck.Require(session, catalog, caller, before, after);
        if (!onlyPreserves)
        {
            AuditLog.Append(session, catalog.Uuids, caller, before, after);
        }
    }

    private void SetAttributes(Row after, Dictionary<string, object?> given)
    {
        foreach (var name in Plain.Where(given.ContainsKey))
        {
            after[name] = given[name];
        }

        if (given.TryGetValue("name", out var newName))
        {
            UniqueNames.RequireValid((string?)newName, catalog.Config.Collections.ForwardSlashNameSubstitution);
            after["name"] = newName;
        }

        if (given.GetValueOrDefault("owner_uuid") is string owner)
        {
            after["owner_uuid"] = owner;
        }

        if (given.TryGetValue("properties", out var properties))
        {
            after["properties"] = properties ?? "{}";
        }

        if (given.TryGetValue("storage_classes_confirmed", out var confirmed))
        {
            after["storage_classes_confirmed"] = confirmed ?? "[]";
        }

        if (given.TryGetValue("storage_classes_desired", out var desired))
        {
            after["storage_classes_desired"] = desired switch
            {
                null => after["storage_classes_desired"],
                "[]" => throw ApiException.Invalid("storage_classes_desired must not be empty"),
                _ => desired,
            };
        }
    }

    private bool MakesVersion(WriteSession session, Row before, Row after, TrashState trash, bool preserve)
    {
        var config = catalog.Config.Collections;
        var changes = new[] { "portable_data_hash", "name", "description", "properties" }.Any(name => !Equals(before[name], after[name]));
        var isIdle = config.PreserveVersionIfIdle >= TimeSpan.Zero && session.Now - before.Time("modified_at") >= config.PreserveVersionIfIdle;
        return config.CollectionVersioning && changes && !trash.IsTrashed && (before.Flag("preserve_version") || preserve || isIdle);
    }

    /// <summary>Copies the record as it is to a new one with a provisional version number: the pair of UUID and version is unique.</summary>
    private string KeepVersion(WriteSession session, Row before)
    {
        var uuid = catalog.Uuids.Create(RecordTypes.Collections);
        var columns = string.Join(", ", RecordTypes.Collections.StoredColumns.Select(column => column.Name).Where(name => name is not ("uuid" or "version")));
        session.Execute(
            $"INSERT INTO collections (uuid, version, {columns}) SELECT @p0, -version, {columns} FROM collections WHERE uuid = @p1", uuid, before.Uuid);
        return uuid;
    }

    private static void SyncVersions(WriteSession session, string uuid, Dictionary<string, object?> changes)
    {
        var shared = Synced.Where(changes.ContainsKey).ToList();
        if (shared.Count == 0)
        {
            return;
        }

        var sql = session.Sql("UPDATE collections SET revision = revision + 1");
        foreach (var name in shared)
        {
            sql.Append($", {name} = ").Value(changes[name]);
        }

        session.Execute(sql.Append(" WHERE uuid <> current_version_uuid AND current_version_uuid = ").Value(uuid));
    }

    private static void RequireNoVersionChange(Row before, Dictionary<string, object?> given)
    {
        // Sent back unchanged by clients that save a whole record.
        foreach (var name in new[] { "version", "current_version_uuid", "uuid" })
        {
            if (given.TryGetValue(name, out var value) && !Equals(value, before[name]))
            {
                throw ApiException.Invalid($"{name} cannot be changed");
            }
        }
    }

    private static void RequireMayConfirm(Caller caller, Dictionary<string, object?> given)
    {
        if (caller.IsAdmin)
        {
            return;
        }

        RequireBothCleared(given, "replication_confirmed", "replication_confirmed_at");
        RequireBothCleared(given, "storage_classes_confirmed", "storage_classes_confirmed_at");
    }

    private static void RequireBothCleared(Dictionary<string, object?> given, string name, string at)
    {
        var isCleared = given.GetValueOrDefault(name) is null or "[]" && given.GetValueOrDefault(at) is null;
        if (!isCleared || given.ContainsKey(name) != given.ContainsKey(at))
        {
            throw ApiException.Forbidden($"only an admin may set {name} and {at}; others may clear both together");
        }
    }

    private static void RequireMove(WriteSession session, Caller caller, Row before, Row after)
    {
        Ownership.RequireNotFrozen(session, before.Text("owner_uuid"));
        if (!Equals(before["owner_uuid"], after["owner_uuid"]))
        {
            Ownership.RequireLevel(session, caller, before, AccessLevel.Write);
            Ownership.RequireWritableOwner(session, caller, after.Text("owner_uuid")!);
        }
    }
}
