
namespace KeepFs.WebDav.S3.Protocol;

/// <summary>The query of an S3 request, decoded once; names may repeat and may have no value. Immutable.</summary>
internal sealed class S3Query
{
    private S3Query(IReadOnlyList<(string Name, string Value, bool HasValue)> parameters) => Parameters = parameters;

    public IReadOnlyList<(string Name, string Value, bool HasValue)> Parameters { get; }

    /// <summary>The value of the first parameter of that name, "" if it has none, or null.</summary>
    public string? this[string name]
    {
        get
        {
            foreach (var (other, value, _) in Parameters)
            {
                if (other == name)
                {
                    return value;
                }
            }

            return null;
        }
    }

    public bool Has(string name) => this[name] is not null;

    /// <summary>Takes apart what follows the question mark of a request target.</summary>
    /// <exception cref="S3Exception">400: bad percent-encoding.</exception>
    public static S3Query Parse(string target)
    {
        var at = target.IndexOf('?', StringComparison.Ordinal);
        if (at < 0)
        {
            return new S3Query([]);
        }

        var parameters = new List<(string, string, bool)>();
        foreach (var part in target[(at + 1)..].Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var equals = part.IndexOf('=', StringComparison.Ordinal);
            parameters.Add(equals < 0
                ? (PercentCode.Decode(part, plusIsSpace: true), "", false)
                : (PercentCode.Decode(part[..equals], plusIsSpace: true), PercentCode.Decode(part[(equals + 1)..], plusIsSpace: true), true));
        }

        return new S3Query(parameters);
    }
}
