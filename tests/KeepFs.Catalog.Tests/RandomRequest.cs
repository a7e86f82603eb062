namespace KeepFs.Catalog.Tests;

/// <summary>A request that can be sent to several catalogues: <c>@3@</c> stands for the UUID of the fourth thing that was made.</summary>
internal sealed record RandomRequest(int Who, HttpMethod Method, string Path)
{
    public Dictionary<string, string> Query { get; init; } = [];

    public string? Body { get; init; }

    /// <summary>The answer is a new record.</summary>
    public bool Makes { get; init; }

    /// <summary>Time that passes before.</summary>
    public TimeSpan Wait { get; init; }

    public override string ToString() => $"{Method} {Path} {string.Join(' ', Query.Select(pair => $"{pair.Key}={pair.Value}"))} {Body} (as {Who}, after {Wait})";
}
