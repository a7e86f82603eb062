using System.Globalization;

namespace KeepFs.Cli.Transfer;

/// <summary>Tells on standard error what was left out: the first few by name, the rest as a count by reason.</summary>
internal sealed class SkipReport(int maxNamed)
{
    private readonly Dictionary<string, int> _more = [];

    public List<SkippedEntry> All { get; } = [];

    public void Add(SkippedEntry skipped)
    {
        All.Add(skipped);
        if (All.Count <= maxNamed)
        {
            Console.Error.WriteLine($"keepfs: skipped {skipped.LocalPath}: {skipped.Reason}");
        }
        else
        {
            _more[skipped.Reason] = _more.GetValueOrDefault(skipped.Reason) + 1;
        }
    }

    public void Finish()
    {
        foreach (var (reason, count) in _more)
        {
            Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"keepfs: skipped {count} more: {reason} (--list-skipped names them all)"));
        }

        _more.Clear();
    }
}
