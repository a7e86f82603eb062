using System.Text;
using KeepFs.Catalog.Checkpoints;
using KeepFs.Testing;

namespace KeepFs.Catalog.Tests.Checkpoints;

/// <summary>The head's block.</summary>
public sealed class CheckpointHeadTests
{
    private static readonly CheckpointHead Head = new()
    {
        ClusterId = "zzzzz",
        Lineage = "0123456789abcdef0123456789abcdef",
        Sequence = 12,
        At = "2026-01-31T12:00:00.000001Z",
        Previous = "37b51d194a7513e45b56f6524f2d51f2+1789",
        Parts = [new(true, 3, 100, "aa", ["37b51d194a7513e45b56f6524f2d51f2+3", "acbd18db4cc2f85cedef654fccc4a4d8+3"]), new(false, 1, 50, "bb", [])],
        Counts = new Dictionary<string, long> { ["past versions"] = 5 },
    };

    [Fact]
    public void Head_is_read_back_and_has_a_length_by_which_it_is_found()
    {
        var block = Head.Format("root");

        Assert.True(CheckpointHead.IsSize(block.Length));
        Assert.StartsWith("KeepFs-Checkpoint 1\n{", Encoding.UTF8.GetString(block), StringComparison.Ordinal);
        Assert.Equal(block, CheckpointHead.TryParse(block)!.Format("root"));
        Assert.True(CheckpointHead.HasSeal(block, "root"));
        Assert.False(CheckpointHead.HasSeal(block, "other"));
        Assert.Equal(16, Enumerable.Range(1, 1 << 16).Count(size => CheckpointHead.IsSize(size)));
    }

    [Fact]
    public void Changed_head_is_no_head_or_has_no_seal()
    {
        var good = Head.Format("root");
        var text = Encoding.UTF8.GetString(good).TrimEnd('\n') + "\n";
        var mutator = new ByteMutator(7, text, "KeepFs-Checkpoint 1\n{}\nseal 00\n", "KeepFs-Checkpoint 1\n[]\n", "KeepFs-Checkpoint 1\n" + """{"parts":[null],"counts":{"a":null},"at":5}""" + "\n");
        for (var i = 0; i < ByteMutator.Count; i++)
        {
            var bytes = mutator.Next();
            if (CheckpointHead.TryParse(bytes) is not null)
            {
                Assert.True(!CheckpointHead.HasSeal(bytes, "root") || bytes.AsSpan().StartsWith(Encoding.UTF8.GetBytes(text)), Encoding.UTF8.GetString(bytes));
            }
        }
    }
}
