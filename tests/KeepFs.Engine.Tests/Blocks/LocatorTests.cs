using KeepFs.Engine.Blocks;

namespace KeepFs.Engine.Tests.Blocks;

public sealed class LocatorTests
{
    private const string H = "acbd18db4cc2f85cedef654fccc4a4d8";
    private const string E = "d41d8cd98f00b204e9800998ecf8427e";

    [Theory]
    [InlineData(H, 0, false, false)]
    [InlineData(H + "+3", 3, false, false)]
    [InlineData(H + "+03", 3, false, false)]
    [InlineData(H + "+0", 0, false, false)]
    [InlineData(H + "+3+K@xyzzy+Aabc@1", 3, true, false)]
    [InlineData(H + "+3+Rzzzzz-abc", 3, false, true)]
    [InlineData(H + "+z", 0, false, false)]
    [InlineData(H + "+Ffoo", 0, false, false)]
    [InlineData(H + "+3+z", 3, false, false)]
    public void Server_rule_accepts(string text, int size, bool isSigned, bool remote)
    {
        var locator = Locator.Parse(text);
        Assert.Equal((H, size, isSigned, remote, text), (locator.Hash.ToString(), locator.SizeBytes, locator.IsSigned, locator.IsRemote, locator.ToString()));
    }

    [Theory]
    [InlineData(H + "+-1")]
    [InlineData(H + "+Zfoo+3")]
    [InlineData(H + "+3+4")]
    [InlineData(H + "++3")]
    [InlineData(H + "+3+")]
    [InlineData("+" + H)]
    [InlineData(H + "abc")]
    [InlineData("ACBD18DB4CC2F85CEDEF654FCCC4A4D8")]
    [InlineData(H + "+99999999999")]
    [InlineData("")]
    [InlineData(null)]
    public void Server_rule_refuses(string? text) => Assert.False(Locator.TryParse(text, out _));

    [Theory]
    [InlineData(E + "+0", true, true)]
    [InlineData(E + "+0+Z", true, true)]
    [InlineData(E + "+0+Fizz+Buzz", true, true)]
    [InlineData(E + "+0+Z+Ada39a3ee5e6b4b0d3255bfef95601890afd80709@53bed294", true, true)]
    [InlineData(E, false, true)]
    [InlineData(E + "+Z", false, true)]
    [InlineData(E + "+Fizz+Buzz", false, true)]
    [InlineData("d41d8cd98f00b204e9800998ecf8427+0", false, false)]
    [InlineData(E + "0+0", false, false)]
    [InlineData(E + "+0 ", false, false)]
    [InlineData(E + "+0\n", false, false)]
    [InlineData(" " + E + "+0", false, false)]
    [InlineData(E + "+K+0", false, false)]
    [InlineData(E + "+0+0", false, false)]
    [InlineData(E + "++", false, false)]
    [InlineData(E + "+0+K+", false, false)]
    [InlineData(E + "+0++K", false, false)]
    [InlineData(E + "+0+z", false, false)]
    [InlineData(E + "+0+Zfoo*bar", false, false)]
    public void Strict_rules_accept_what_the_specification_lists(string text, bool sized, bool manifest)
    {
        Assert.Equal(sized, LocatorSyntax.IsSizedLocator(text));
        Assert.Equal(manifest, LocatorSyntax.IsManifestLocator(text));
        Assert.Equal(sized, LocatorSyntax.IsDigestLocator(text));
    }

    [Fact]
    public void Block_hash_survives_its_text_and_its_digest()
    {
        var hash = BlockHash.Compute("foo"u8);
        Span<byte> digest = stackalloc byte[16];
        hash.CopyTo(digest);
        Assert.Equal(H, hash.ToString());
        Assert.Equal(hash, BlockHash.Parse(H));
        Assert.Equal(hash, BlockHash.FromDigest(digest));
        Assert.True(BlockHash.Parse(E) > hash);
    }

    [Fact]
    public void Token_is_salted_for_another_cluster_only()
    {
        Assert.Equal("v2/zzzzz-gj3su-077z32aux8dg2s1/cc6a529e5f8f26732d000ecb9f4fc803d7e6a6eb", TokenSalt.ForCluster(BlockVectors.Token2, "z0000"));
        Assert.Equal(BlockVectors.Token2, TokenSalt.ForCluster(BlockVectors.Token2, "zzzzz"));
        Assert.Equal("obsolete token format", Assert.Throws<FormatException>(() => TokenSalt.ForCluster(BlockVectors.Token1, "z0000")).Message);
        Assert.Equal("badly formatted token", Assert.Throws<FormatException>(() => TokenSalt.ForCluster("x", "z0000")).Message);
        Assert.Equal(
            "token already salted",
            Assert.Throws<FormatException>(() => TokenSalt.ForCluster("v2/zzzzz-gj3su-077z32aux8dg2s1/cc6a529e5f8f26732d000ecb9f4fc803d7e6a6eb", "z0000")).Message);
    }
}
