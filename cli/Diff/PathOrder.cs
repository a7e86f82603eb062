using KeepFs.Engine.Manifests;

namespace KeepFs.Cli.Diff;

/// <summary>The order of a walk: component by component, each by its UTF-8 bytes; what is above comes before what is below.</summary>
internal sealed class PathOrder : IComparer<string>
{
    private PathOrder()
    {
    }

    public static PathOrder Instance { get; } = new();

    public int Compare(string? x, string? y)
    {
        var (left, right) = (x!, y!);
        while (true)
        {
            var (leftEnd, rightEnd) = (left.IndexOf('/', StringComparison.Ordinal), right.IndexOf('/', StringComparison.Ordinal));
            var order = Utf8Order.Instance.Compare(leftEnd < 0 ? left : left[..leftEnd], rightEnd < 0 ? right : right[..rightEnd]);
            if (order != 0 || (leftEnd < 0 && rightEnd < 0))
            {
                return order;
            }

            if (leftEnd < 0 || rightEnd < 0)
            {
                return leftEnd < 0 ? -1 : 1;
            }

            (left, right) = (left[(leftEnd + 1)..], right[(rightEnd + 1)..]);
        }
    }
}
