using System.Data.Common;
using System.Text.Json;
using KeepFs.Catalog.Records;
using KeepFs.Catalog.Requests;
using KeepFs.Catalog.Storage;
using KeepFs.Catalog.Storage.Sqlite;

namespace KeepFs.Catalog.Exchange;

/// <summary>
/// Lines that were read and found good, as rows of a scratch database: while a slow client sends them nobody else waits, and memory does not grow.
/// For one thread at a time; disposing removes the file.
/// </summary>
internal sealed class ImportStage : IDisposable
{
    /// <summary>The column with the number of the line.</summary>
    public const string Line = "line";

    private readonly CatalogContext _catalog;
    private readonly RecordDecoder _decoder;
    private readonly string _path;
    private readonly ScratchDatabase _rows;
    private readonly bool _skipsUnknown;
    private bool _hasHead;
    private long? _promised;
    private long _records;

    public ImportStage(CatalogContext catalog, bool skipsUnknown)
    {
        (_catalog, _skipsUnknown, _decoder) = (catalog, skipsUnknown, new RecordDecoder(catalog, skipsUnknown));
        _path = catalog.Database.Store.TemporaryPath("import");
        _rows = ScratchDatabase.Open(_path, isKept: false, catalog.Time.GetUtcNow());
        // What finds rows that lie here is not needed; what forbids some is.
        foreach (var drop in Rows.Strings("SELECT 'DROP ' || type || ' ' || name FROM sqlite_master WHERE type = 'trigger' OR (type = 'index' AND sql LIKE 'CREATE INDEX%')"))
        {
            _rows.Session.Execute(drop);
        }

        foreach (var kind in ExchangeKinds.All)
        {
            _rows.Session.Execute($"ALTER TABLE {kind.Table} ADD COLUMN {Line} INTEGER");
        }
    }

    /// <summary>The rows, in the order of their lines.</summary>
    public CatalogSession Rows => _rows.Session;

    /// <summary>Lines of kinds that this catalogue does not keep.</summary>
    public SortedDictionary<string, long> Skipped { get; } = new(StringComparer.Ordinal);

    /// <summary>Reads all lines.</summary>
    /// <exception cref="ApiException">A line is wrong (its number and what is wrong with it), or the end is missing.</exception>
    public async Task ReadAsync(Stream body, CancellationToken ct)
    {
        using var lines = new JsonLineReader(body);
        while (await lines.ReadAsync(ct) is { } line)
        {
            try
            {
                using var document = TextJson.Parse(line);
                Add(document.RootElement, lines.Number);
            }
            catch (JsonException e)
            {
                throw ApiException.Invalid($"line {lines.Number} is not a JSON object: {e.Message}");
            }
            catch (ApiException e) when (e.Status == 422)
            {
                throw ApiException.Invalid($"line {lines.Number}: {e.Message}");
            }
        }

        if (_hasHead && _promised != _records)
        {
            throw ApiException.Invalid(_promised is null
                ? $"the file ends after {lines.Number} lines without its last line ({ExchangeKinds.End}): part of it is missing"
                : $"the last line speaks of {_promised} records, but there are {_records}");
        }
    }

    public void Dispose()
    {
        _rows.Dispose();
        File.Delete(_path);
        File.Delete(_path + "-journal");
    }

    private void Add(JsonElement line, long number)
    {
        if (line.ValueKind != JsonValueKind.Object || !line.TryGetProperty("kind", out var value) || value.ValueKind != JsonValueKind.String)
        {
            throw ApiException.Invalid("it must be a JSON object with the attribute 'kind'");
        }

        if (_promised is not null)
        {
            throw ApiException.Invalid($"nothing may follow {ExchangeKinds.End}");
        }

        var name = value.GetString()!;
        if (name == ExchangeKinds.Head)
        {
            RequireHead(line, number);
        }
        else if (name == ExchangeKinds.End)
        {
            _promised = line.TryGetProperty("records", out var records) && records.TryGetInt64(out var count) ? count : throw ApiException.Invalid("it must say the number of records");
        }
        else if (ExchangeKinds.Find(name) is { } kind)
        {
            _records++;
            Insert(kind, _decoder.Decode(kind, line, Rows.Now), number);
        }
        else if (Uuids.IsOtherKind(name) || _skipsUnknown)
        {
            _records++;
            Skipped[name] = Skipped.GetValueOrDefault(name) + 1;
        }
        else
        {
            throw ApiException.Invalid($"kind '{name}' is not known; --skip-unknown (skip_unknown=true) leaves such lines out");
        }
    }

    private void RequireHead(JsonElement line, long number)
    {
        if (number != 1)
        {
            throw ApiException.Invalid($"{ExchangeKinds.Head} may only be the first line");
        }

        if (!line.TryGetProperty("version", out var version) || !version.TryGetInt64(out var known) || known > ExchangeKinds.Version)
        {
            throw ApiException.Invalid($"this program reads version {ExchangeKinds.Version} of the form; the file was written by a newer one");
        }

        if (line.TryGetProperty("cluster_id", out var cluster) && cluster.GetString() != _catalog.Uuids.ClusterId)
        {
            throw ApiException.Invalid(
                $"the records are those of cluster {cluster.GetString()}, and this is {_catalog.Uuids.ClusterId}: import them into a cluster of the same id (keepfs up --cluster-id {cluster.GetString()})");
        }

        _hasHead = true;
    }

    private void Insert(ExchangeKind kind, Dictionary<string, object?> row, long number)
    {
        List<string> columns = [.. row.Keys, Line];
        try
        {
            TableCopy.Insert(_rows.Session, kind.Table, columns, [.. row.Values.Select(value => value ?? DBNull.Value), number]);
        }
        catch (DbException e) when (Rows.Dialect.Violation(e, kind.Table) is { } violation)
        {
            throw ImportMerge.Clash(kind, violation);
        }
    }
}
