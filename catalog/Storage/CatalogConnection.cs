using System.Data;
using System.Data.Common;
using System.Globalization;

namespace KeepFs.Catalog.Storage;

/// <summary>
/// A connection and the statements that were compiled on it: compiling one costs more than most of them take to run. For one thread at a time.
/// </summary>
internal sealed class CatalogConnection(DbConnection connection, SqlDialect dialect) : IAsyncDisposable, IDisposable
{
    /// <summary>Compiled statements kept, about 8 KiB each. Requests make no more different ones than this; who sends odd filters makes others.</summary>
    private const int MaxStatements = 200;

    private readonly List<SqlText> _later = [];
    private readonly Dictionary<string, DbCommand> _idle = new(StringComparer.Ordinal);

    public SqlDialect Dialect => dialect;

    public DbConnection Database => connection;

    /// <summary>Nothing works on it any more, and what was not committed is undone.</summary>
    public bool IsLost => connection.State != ConnectionState.Open;

    /// <summary>Runs a statement of whose outcome nobody wants to know more than that it worked: at the latest before the next one, with <see cref="Flush"/>, which fails if it did not.</summary>
    public void Later(SqlText sql)
    {
        if (dialect.WaitsForServer)
        {
            _later.Add(sql);
            return;
        }

        using var statement = Prepare(sql);
        statement.Command.ExecuteNonQuery();
    }

    /// <summary>Runs what was put off, in one message to the server and back.</summary>
    public void Flush()
    {
        if (_later.Count == 0)
        {
            return;
        }

        using var batch = connection.CreateBatch();
        foreach (var sql in _later)
        {
            var command = batch.CreateBatchCommand();
#pragma warning disable CA2100 // SqlText holds no operand: they are parameters.
            command.CommandText = sql.ToString();
#pragma warning restore CA2100
            AddParameters(command.Parameters, sql);
            batch.BatchCommands.Add(command);
        }

        _later.Clear();
        batch.ExecuteNonQuery();
    }

    /// <summary>Forgets what was put off: the transaction goes back to before it.</summary>
    public void Forget() => _later.Clear();

    /// <summary>A statement with its parameters set; disposing gives it back.</summary>
    public Statement Prepare(SqlText sql)
    {
        Flush();
        var text = sql.ToString();
        if (_idle.Remove(text, out var command))
        {
            for (var i = 0; i < sql.Parameters.Count; i++)
            {
                dialect.Bind(command.Parameters[i], sql.Parameters[i]);
            }

            if (dialect.PreparesStatements)
            {
                // It came a second time. Does nothing from the third on.
                command.Prepare();
            }

            return new Statement(this, command);
        }

        command = connection.CreateCommand();
#pragma warning disable CA2100 // SqlText holds no operand: they are parameters.
        command.CommandText = text;
#pragma warning restore CA2100
        AddParameters(command.Parameters, sql);
        return new Statement(this, command);
    }

    /// <summary>Runs a constant statement.</summary>
    public void Execute(string sql)
    {
        using var statement = Prepare(new SqlText(dialect).Append(sql));
        statement.Command.ExecuteNonQuery();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        Clear();
        await connection.DisposeAsync();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Clear();
        connection.Dispose();
    }

    private void AddParameters(DbParameterCollection parameters, SqlText sql)
    {
        for (var i = 0; i < sql.Parameters.Count; i++)
        {
            parameters.Add(dialect.Parameter(string.Create(CultureInfo.InvariantCulture, $"@p{i}"), sql.Parameters[i]));
        }
    }

    private void Return(DbCommand command)
    {
        if (_idle.Count >= MaxStatements)
        {
            Clear();
            dialect.ForgetStatements(connection);
        }

        // Values may be large; the statement's own copies go with its next use.
        foreach (DbParameter parameter in command.Parameters)
        {
            parameter.Value = DBNull.Value;
        }

        // Two of one text at once are rare; the second is not worth a place.
        if (!_idle.TryAdd(command.CommandText, command))
        {
            command.Dispose();
        }
    }

    private void Clear()
    {
        foreach (var command in _idle.Values)
        {
            command.Dispose();
        }

        _idle.Clear();
    }

    /// <summary>A statement in use.</summary>
    internal readonly struct Statement(CatalogConnection owner, DbCommand command) : IDisposable
    {
        public DbCommand Command => command;

        public void Dispose() => owner.Return(command);
    }
}
