namespace KeepFs.Catalog.Storage;

/// <summary>
/// Conditions on columns of JSON text. Scalars are equal when value and type are, 1 and 1.0 are the same number, arrays and objects are equal when their
/// canonical text is. A row whose column lacks the key never matches.
/// </summary>
internal abstract class JsonSql
{
    /// <summary>The column as text that is equal when the values are.</summary>
    public abstract string Canonical(string column);

    /// <summary>An object has the key, or an array the text.</summary>
    public abstract void AppendHasKey(SqlText sql, string column, string key);

    /// <summary>The value of the key equals one of the elements.</summary>
    /// <param name="sql">Appended to.</param>
    /// <param name="column">Holds objects.</param>
    /// <param name="key">The key.</param>
    /// <param name="list">A JSON array.</param>
    /// <param name="isIndexed">The column is that of collections, and rows without the value shall not be looked at.</param>
    public abstract void AppendIn(SqlText sql, string column, string key, string list, bool isIndexed);

    /// <summary>The value of the key is of the operand's type and stands in the relation to it.</summary>
    /// <param name="sql">Appended to.</param>
    /// <param name="column">Holds objects.</param>
    /// <param name="key">The key.</param>
    /// <param name="op">One of the four comparisons.</param>
    /// <param name="operand">Text or a double.</param>
    public abstract void AppendCompare(SqlText sql, string column, string key, string op, object operand);

    /// <summary>The value's text matches; that of true and false is 1 and 0.</summary>
    public abstract void AppendLike(SqlText sql, string column, string key, string op, string pattern);

    /// <summary>The column has the key.</summary>
    public abstract void AppendExists(SqlText sql, string column, string key);

    /// <summary>The value equals the one given, or is an array with such an element.</summary>
    public abstract void AppendContains(SqlText sql, string column, string key, string value);
}
