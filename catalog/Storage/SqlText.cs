using System.Globalization;
using System.Text;

namespace KeepFs.Catalog.Storage;

/// <summary>SQL under construction. Operands only ever enter as parameters; text appended here comes from this program.</summary>
internal sealed class SqlText(SqlDialect dialect)
{
    private readonly StringBuilder _text = new();
    private readonly List<object?> _parameters = [];

    public SqlDialect Dialect => dialect;

    public IReadOnlyList<object?> Parameters => _parameters;

    public SqlText Append(string sql)
    {
        _text.Append(sql);
        return this;
    }

    /// <summary>Appends the name of a new parameter.</summary>
    public SqlText Value(object? value) => Append(Parameter(value));

    /// <summary>Adds a parameter and returns its name, for values that are named more than once. Not every database stores NUL in text, so none does.</summary>
    public string Parameter(object? value)
    {
        if (value is string text && text.Contains('\0'))
        {
            throw ApiException.Invalid("text must not contain the character NUL");
        }

        _parameters.Add(value);
        return string.Create(CultureInfo.InvariantCulture, $"@p{_parameters.Count - 1}");
    }

    /// <summary>Appends the parts with a separator between them.</summary>
    public SqlText Join(string separator, IEnumerable<Action<SqlText>> parts)
    {
        var first = true;
        foreach (var part in parts)
        {
            if (!first)
            {
                Append(separator);
            }

            first = false;
            part(this);
        }

        return this;
    }

    public override string ToString() => _text.ToString();
}
