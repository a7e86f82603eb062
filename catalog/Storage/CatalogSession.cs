using System.Data.Common;
using System.Globalization;
using KeepFs.Catalog.Records;

namespace KeepFs.Catalog.Storage;

/// <summary>One connection in use: a reader, or the writer inside its transaction. For one thread at a time.</summary>
internal class CatalogSession(CatalogConnection connection, DateTimeOffset now)
{
    /// <summary>The one time of this session; every rule about time uses it.</summary>
    public DateTimeOffset Now { get; } = Timestamp.Truncate(now);

    public string NowText => Timestamp.Format(Now);

    /// <summary>What this database says in its own way.</summary>
    public SqlDialect Dialect => connection.Dialect;

    /// <summary>The connection is gone.</summary>
    public bool IsLost => connection.IsLost;

    /// <summary>The beginning of a statement.</summary>
    public SqlText Sql(string text) => new SqlText(Dialect).Append(text);

    public int Execute(SqlText sql)
    {
        using var statement = connection.Prepare(sql);
        return statement.Command.ExecuteNonQuery();
    }

    public int Execute(string sql, params ReadOnlySpan<object?> values) => Execute(Numbered(sql, values));

    /// <summary>Runs it before anything that is asked or done after it; see <see cref="CatalogConnection.Later"/>.</summary>
    public void Later(SqlText sql) => connection.Later(sql);

    /// <inheritdoc cref="Later(SqlText)"/>
    public void Later(string sql, params ReadOnlySpan<object?> values) => connection.Later(Numbered(sql, values));

    /// <summary>First column of the first row; null when there is none.</summary>
    public object? Scalar(SqlText sql)
    {
        using var statement = connection.Prepare(sql);
        return ValueOf(statement.Command.ExecuteScalar());
    }

    public object? Scalar(string sql, params ReadOnlySpan<object?> values) => Scalar(Numbered(sql, values));

    public long Count(SqlText sql) => Convert.ToInt64(Scalar(sql), CultureInfo.InvariantCulture);

    public List<string> Strings(string sql, params ReadOnlySpan<object?> values)
    {
        using var statement = connection.Prepare(Numbered(sql, values));
        using var reader = statement.Command.ExecuteReader();
        var list = new List<string>();
        while (reader.Read())
        {
            list.Add(reader.GetString(0));
        }

        return list;
    }

    /// <summary>Hands over row after row as they are read; none is kept.</summary>
    public void Each(string sql, Action<DbDataReader> row, params ReadOnlySpan<object?> values)
    {
        using var statement = connection.Prepare(Numbered(sql, values));
        using var reader = statement.Command.ExecuteReader();
        while (reader.Read())
        {
            row(reader);
        }
    }

    /// <summary>Reads rows of any form.</summary>
    public List<T> Read<T>(string sql, Func<DbDataReader, T> read, params ReadOnlySpan<object?> values) => ReadWhile(sql, read, static _ => true, values);

    /// <summary>Reads rows of any form until one is not wanted; that one is not kept.</summary>
    public List<T> ReadWhile<T>(string sql, Func<DbDataReader, T> read, Func<T, bool> accept, params ReadOnlySpan<object?> values)
    {
        using var statement = connection.Prepare(Numbered(sql, values));
        using var reader = statement.Command.ExecuteReader();
        var list = new List<T>();
        while (reader.Read())
        {
            var item = read(reader);
            if (!accept(item))
            {
                break;
            }

            list.Add(item);
        }

        return list;
    }

    /// <summary>Reads records; the statement's columns are named as in <see cref="Row"/>.</summary>
    /// <param name="sql">A SELECT.</param>
    /// <param name="type">What the rows are.</param>
    /// <param name="accept">Returns false to stop after the row it was given; that row is kept.</param>
    public List<Row> Rows(SqlText sql, RecordType type, Func<Row, bool>? accept = null)
    {
        using var statement = connection.Prepare(sql);
        using var reader = statement.Command.ExecuteReader();
        var rows = new List<Row>();
        var names = Enumerable.Range(0, reader.FieldCount).Select(reader.GetName).ToArray();
        while (reader.Read())
        {
            var row = new Row(type);
            for (var i = 0; i < names.Length; i++)
            {
                row[names[i]] = ValueOf(reader.GetValue(i));
            }

            rows.Add(row);
            if (accept is not null && !accept(row))
            {
                break;
            }
        }

        return rows;
    }

    /// <summary>As <see cref="Rows"/>; nobody waits in a thread while a server finds them.</summary>
    public async Task<List<Row>> RowsAsync(SqlText sql, RecordType type)
    {
        using var statement = connection.Prepare(sql);
        await using var reader = await statement.Command.ExecuteReaderAsync();
        var rows = new List<Row>();
        while (await reader.ReadAsync())
        {
            var row = new Row(type);
            for (var i = 0; i < reader.FieldCount; i++)
            {
                row[reader.GetName(i)] = ValueOf(reader.GetValue(i));
            }

            rows.Add(row);
        }

        return rows;
    }

    // Constants are narrower than columns in some databases.
    private static object? ValueOf(object? value) => value switch
    {
        DBNull => null,
        int number => (long)number,
        _ => value,
    };

    private SqlText Numbered(string sql, ReadOnlySpan<object?> values)
    {
        var text = Sql(sql);
        foreach (var value in values)
        {
            text.Parameter(value);
        }

        return text;
    }
}
