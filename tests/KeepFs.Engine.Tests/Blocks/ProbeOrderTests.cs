using System.Globalization;
using System.Text;
using KeepFs.Engine.Blocks;

namespace KeepFs.Engine.Tests.Blocks;

public sealed class ProbeOrderTests
{
    [Theory]
    [InlineData(0, "10eab6008d5642cf42abd2aa41f847cb", 16, "3eab2d5fc9681074")]
    [InlineData(1, "9a25b027482b37e047104e2e532cabae", 16, "097dba52e648f1c3")]
    [InlineData(2, "ece15765f11abfb7d3c71995a3d63bfe", 16, "c5b4e023f8a7d691")]
    [InlineData(3, "0c1728e2354416472350c906ca8b5718", 16, "9d81c02e76a3bf54")]
    [InlineData(0, "10eab6008d5642cf42abd2aa41f847cb", 12, "3ab259681074")]
    [InlineData(0, "10eab6008d5642cf42abd2aa41f847cb", 4, "3210")]
    public void Services_are_asked_in_the_order_of_the_vectors(int block, string hash, int services, string order)
    {
        Assert.Equal(hash, BlockHash.Compute(Encoding.ASCII.GetBytes(block.ToString("x64", CultureInfo.InvariantCulture))).ToString());
        var uuids = Enumerable.Range(0, services).Select(i => $"zzzzz-bi6l4-{i:x15}").ToArray();
        var sorted = ProbeOrder.OfServices(BlockHash.Parse(hash), uuids, uuid => uuid);
        Assert.Equal(order, string.Concat(sorted.Select(uuid => uuid[^1])));
    }

    [Theory]
    [InlineData("10eab6008d5642cf42abd2aa41f847cb", "zzzzz-bi6l4-000000000000003", "ff26216156807110ed4a26106b1804ba")]
    [InlineData("10eab6008d5642cf42abd2aa41f847cb", "zzzzz-bi6l4-000000000000004", "0a64a0a5450f6b7312a8822e63645fcc")]
    [InlineData("acbd18db4cc2f85cedef654fccc4a4d8", "zzzzz-bi6l4-rsjhd7fm0ip3lyz", "e5cde0d129acf5a00708273bc69514f6")]
    [InlineData("acbd18db4cc2f85cedef654fccc4a4d8", "qqqqq-bi6l4-rsjhd7fm0ip3lyz", "e5cde0d129acf5a00708273bc69514f6")]
    [InlineData("37b51d194a7513e45b56f6524f2d51f2", "xxxxx-bi6l4-keep0keep0keep0", "e0e312c832d46587df7b43b5a69e35e2")]
    [InlineData("d41d8cd98f00b204e9800998ecf8427e", "zzzzz-bi6l4-abcdefghijklmno", "357ab6e2016cbf7240848e99cea4e9a6")]
    [InlineData("acbd18db4cc2f85cedef654fccc4a4d8", "http://keep1.example:25107", "be8024ce84fe35c1ae71dc93fded5638")]
    public void Weight_is_the_one_of_the_vectors(string hash, string id, string weight) =>
        Assert.Equal(weight, ProbeOrder.Weight(BlockHash.Parse(hash), id).ToString());

    [Theory]
    [InlineData("acbd18db4cc2f85cedef654fccc4a4d8", "DCBA")]
    [InlineData("37b51d194a7513e45b56f6524f2d51f2", "DCBA")]
    [InlineData("d41d8cd98f00b204e9800998ecf8427e", "CBAD")]
    public void Mixed_clusters_sort_like_the_vectors(string hash, string order)
    {
        (char Name, string Uuid)[] services =
            [('A', "zzzzz-bi6l4-abcdefghijklmno"), ('B', "zzzzz-bi6l4-123456789012345"), ('C', "xxxxx-bi6l4-keep0keep0keep0"), ('D', "zzzzz-bi6l4-rsjhd7fm0ip3lyz")];
        Assert.Equal(order, string.Concat(ProbeOrder.OfServices(BlockHash.Parse(hash), services, s => s.Uuid).Select(s => s.Name)));
    }

    [Theory]
    [InlineData("acbd18db4cc2f85cedef654fccc4a4d8", "000000000000000,111111111111111,222222222222222", "201")]
    [InlineData("37b51d194a7513e45b56f6524f2d51f2", "000000000000000,111111111111111,222222222222222", "021")]
    [InlineData("3858f62230ac3c915f300c664312c63f", "111111111111111,222222222222222", "12")]
    public void Mounts_are_asked_lightest_first(string hash, string ids, string order)
    {
        var uuids = ids.Split(',').Select(id => $"zzzzz-nyw5e-{id}").ToArray();
        Assert.Equal(order, string.Concat(ProbeOrder.OfMounts(BlockHash.Parse(hash), uuids, uuid => uuid, _ => 0).Select(uuid => uuid[^1])));
    }

    [Fact]
    public void Priority_goes_before_weight()
    {
        (string Uuid, int Priority)[] mounts = [("zzzzz-nyw5e-111111111111111", 0), ("zzzzz-nyw5e-222222222222222", 1)];
        Assert.Equal(1, ProbeOrder.OfMounts(BlockHash.Parse("3858f62230ac3c915f300c664312c63f"), mounts, m => m.Uuid, m => m.Priority)[0].Priority);
    }
}
