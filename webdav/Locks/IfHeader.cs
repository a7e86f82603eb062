using Microsoft.AspNetCore.Http;

namespace KeepFs.WebDav.Locks;

/// <summary>One condition of a list: a state token or an entity tag, perhaps negated.</summary>
internal readonly record struct IfCondition(bool IsNegated, string Value, bool IsTag);

/// <summary>Conditions that must all hold for one resource; null = the resource of the request.</summary>
internal sealed record IfList(string? Resource, IReadOnlyList<IfCondition> Conditions);

/// <summary>The If header (RFC 4918 10.4): it holds when one of its lists does.</summary>
internal sealed record IfHeader(IReadOnlyList<IfList> Lists)
{
    public const string Name = "If";

    /// <summary>Every state token that the header names: "submitted" in the sense of RFC 4918 7.5.</summary>
    public IReadOnlyList<string> Tokens { get; } =
        [.. Lists.SelectMany(list => list.Conditions).Where(condition => !condition.IsTag).Select(condition => condition.Value).Distinct()];

    /// <summary>Null when there is no header.</summary>
    /// <exception cref="WebException">400: malformed.</exception>
    public static IfHeader? Parse(HttpRequest request)
    {
        var rest = request.Headers[Name].ToString().AsSpan().Trim();
        if (rest.IsEmpty)
        {
            return null;
        }

        var (lists, resource) = (new List<IfList>(), (string?)null);
        while (!rest.IsEmpty)
        {
            if (rest[0] == '<')
            {
                resource = Take(ref rest, '>');
            }
            else if (rest[0] == '(')
            {
                rest = rest[1..].TrimStart();
                lists.Add(new IfList(resource, Conditions(ref rest)));
            }
            else
            {
                throw Bad();
            }

            rest = rest.TrimStart();
        }

        return lists.Count > 0 ? new IfHeader(lists) : throw Bad();
    }

    private static List<IfCondition> Conditions(ref ReadOnlySpan<char> rest)
    {
        var conditions = new List<IfCondition>();
        while (true)
        {
            rest = rest.TrimStart();
            if (rest.IsEmpty)
            {
                throw Bad();
            }

            if (rest[0] == ')')
            {
                rest = rest[1..];
                return conditions.Count > 0 ? conditions : throw Bad();
            }

            var isNegated = rest.StartsWith("Not", StringComparison.OrdinalIgnoreCase);
            rest = isNegated ? rest[3..].TrimStart() : rest;
            conditions.Add(
                rest.StartsWith("<", StringComparison.Ordinal) ? new IfCondition(isNegated, Take(ref rest, '>'), IsTag: false)
                : rest.StartsWith("[", StringComparison.Ordinal) ? new IfCondition(isNegated, Take(ref rest, ']'), IsTag: true)
                : throw Bad());
        }
    }

    private static string Take(ref ReadOnlySpan<char> rest, char end)
    {
        var at = rest.IndexOf(end);
        if (at < 0)
        {
            throw Bad();
        }

        var value = rest[1..at].ToString();
        rest = rest[(at + 1)..];
        return value;
    }

    private static WebException Bad() => new(StatusCodes.Status400BadRequest, "The If header is malformed.");
}
