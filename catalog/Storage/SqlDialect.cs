using System.Data.Common;

namespace KeepFs.Catalog.Storage;

/// <summary>
/// What differs between the databases in the SQL that is common to them. Statements have numbered parameters (<c>@p0</c>); integers are 64 bits and
/// booleans are 0 or 1 in both; text is compared byte by byte. Immutable.
/// </summary>
internal abstract class SqlDialect
{
    /// <summary>Conditions on columns that hold JSON.</summary>
    public abstract JsonSql Json { get; }

    /// <summary>Type of a table's own number: counts up by itself unless it is given.</summary>
    public abstract string Id { get; }

    /// <summary>As <see cref="Id"/>; a number never comes again, even if its row was the last one and is gone.</summary>
    public abstract string IdForEver { get; }

    /// <summary>Type of 64-bit integers.</summary>
    public abstract string Integer { get; }

    /// <summary>Type of text that is compared byte by byte.</summary>
    public abstract string Text { get; }

    /// <summary>Type of bytes.</summary>
    public abstract string Bytes { get; }

    /// <summary>Stands behind a table whose rows are found by their primary key only.</summary>
    public abstract string KeyedOnly { get; }

    /// <summary>Stands behind a column of an index that <see cref="Order"/> shall use, if it may be null.</summary>
    public abstract string NullsFirst { get; }

    /// <summary>Statements that come again are worth compiling in the server.</summary>
    public abstract bool PreparesStatements { get; }

    /// <summary>Each statement is a message to another process and back, which several can share.</summary>
    public abstract bool WaitsForServer { get; }

    /// <summary>What only one of the databases understands.</summary>
    public abstract string Choose(string sqlite, string postgres);

    /// <summary>Everything that is reached from one node (<see cref="PermissionGraph"/>), which is the parameter, as a table <c>walk(node, level, last)</c>.</summary>
    /// <param name="level">With which level it begins.</param>
    /// <param name="startsWith">When it goes on from a node <c>w.node</c> that is no group.</param>
    public abstract string WalkPermissions(int level, string startsWith);

    /// <summary>The smaller of two numbers.</summary>
    public abstract string Least(string left, string right);

    /// <summary>The larger of two numbers.</summary>
    public abstract string Greatest(string left, string right);

    /// <summary>The expression is one of the list's values.</summary>
    /// <param name="expression">Text or integer.</param>
    /// <param name="list">Name of a parameter that is a <see cref="SqlList"/>.</param>
    public abstract string In(string expression, string list);

    /// <summary>The expression is one of the values of a query of one column, which is run first.</summary>
    public abstract string InQuery(string expression, string query);

    /// <summary>A collection is no past version, in the form that indexes know.</summary>
    public abstract string IsCurrent(string prefix);

    /// <summary>The opposite of <see cref="In"/>; null for null, unless the list is empty.</summary>
    public abstract string NotIn(string expression, string list);

    /// <summary>Text in lower case as <see cref="string.ToLowerInvariant"/> has it.</summary>
    public abstract string CaseFold(string expression);

    /// <summary>A parameter with text as a column of its own, where nothing else says what it is.</summary>
    public abstract string TextOf(string parameter);

    /// <summary>Where bytes occur in others, 0 when they do not.</summary>
    public abstract string Position(string needle, string bytes);

    /// <summary>A term of ORDER BY; null comes before everything else.</summary>
    public abstract string Order(string column, bool isDescending);

    /// <summary>All tables of the schema, by name, but for those that the database keeps by itself.</summary>
    public abstract List<string> Tables(CatalogSession session);

    /// <summary>The columns of a table in their order.</summary>
    public abstract List<string> Columns(CatalogSession session, string table);

    /// <summary>Rows were inserted with an <see cref="Id"/> of their own: the next one without shall follow the highest.</summary>
    public abstract void GivenIds(WriteSession session, string table);

    /// <summary>Many rows have come: statements shall be planned for them.</summary>
    public abstract void LookAtData(WriteSession session);

    /// <summary>Makes a parameter of a statement that is about to be compiled.</summary>
    public abstract DbParameter Parameter(string name, object? value);

    /// <summary>Gives a compiled statement's parameter another value.</summary>
    public abstract void Bind(DbParameter parameter, object? value);

    /// <summary>Frees what the server keeps for compiled statements that were disposed.</summary>
    public abstract void ForgetStatements(DbConnection connection);

    /// <summary>What a row violates; null when the error is something else.</summary>
    public abstract ConstraintViolation? Violation(DbException error, string table);
}
