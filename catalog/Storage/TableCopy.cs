namespace KeepFs.Catalog.Storage;

/// <summary>Copies rows between two databases of the same tables, one row at a time, whatever the tables are.</summary>
internal static class TableCopy
{
    /// <summary>The column that etags derive from.</summary>
    public const string Revision = "revision";

    /// <summary>Makes the tables of one database equal to those of the other.</summary>
    /// <param name="from">Read.</param>
    /// <param name="to">Emptied and filled.</param>
    /// <param name="revision">For every row that has one: a number that no row had before, so that whoever remembers an etag sees a change.</param>
    public static void ReplaceAll(CatalogSession from, WriteSession to, long revision)
    {
        foreach (var table in to.Dialect.Tables(to))
        {
            to.Execute($"DELETE FROM {table}");
            var columns = to.Dialect.Columns(to, table);
            var values = new object[columns.Count];
            var counter = columns.IndexOf(Revision);
            from.Each($"SELECT {string.Join(", ", columns)} FROM {table}", row =>
            {
                row.GetValues(values);
                if (counter >= 0)
                {
                    values[counter] = revision;
                }

                Insert(to, table, columns, values);
            });
        }
    }

    /// <summary>Inserts a row.</summary>
    /// <param name="to">Where.</param>
    /// <param name="table">Its table.</param>
    /// <param name="columns">Names of columns.</param>
    /// <param name="values">Their values, and others behind them; <see cref="DBNull"/> for none.</param>
    public static void Insert(WriteSession to, string table, List<string> columns, ReadOnlySpan<object> values)
    {
        var sql = to.Sql($"INSERT INTO {table} ({string.Join(", ", columns)}) VALUES ");
        AppendRow(sql, columns.Count, values);
        to.Execute(sql);
    }

    /// <summary>Inserts rows with one statement, all of them or none.</summary>
    public static void Insert(WriteSession to, string table, List<string> columns, List<object[]> rows)
    {
        var sql = to.Sql($"INSERT INTO {table} ({string.Join(", ", columns)}) VALUES ");
        for (var i = 0; i < rows.Count; i++)
        {
            AppendRow(sql.Append(i == 0 ? "" : ", "), columns.Count, rows[i]);
        }

        to.Execute(sql);
    }

    private static void AppendRow(SqlText sql, int count, ReadOnlySpan<object> values)
    {
        sql.Append("(");
        for (var i = 0; i < count; i++)
        {
            sql.Append(i == 0 ? "" : ", ").Value(values[i] is DBNull ? null : values[i]);
        }

        sql.Append(")");
    }
}
