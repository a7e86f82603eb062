namespace KeepFs.Cli.Keepstore;

/// <summary>One flag of a command line in Go's syntax.</summary>
/// <param name="Name">Without dashes.</param>
/// <param name="TypeName">Shown in the usage: <c>int</c>, <c>string</c>, <c>duration</c>, <c>value</c>; empty for a boolean.</param>
/// <param name="Help">What it does.</param>
/// <param name="DefaultText">Shown in the usage; empty = a zero value, not shown.</param>
/// <param name="Set">Takes the text; throws <see cref="FormatException"/> with the reason why not.</param>
internal sealed record GoFlag(string Name, string TypeName, string Help, string DefaultText, Action<string> Set)
{
    public bool IsBoolean => TypeName.Length == 0;
}
