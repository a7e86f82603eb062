using System.Text;
using KeepFs.Engine.Blocks;
using KeepFs.Engine.Manifests;
using KeepFs.Engine.Tests.Blocks;
using static KeepFs.Engine.Tests.Manifests.ManifestVectors;

namespace KeepFs.Engine.Tests.Manifests;

public sealed class ManifestSignerTests
{
    private static readonly LocatorSigner Signer = new(BlockVectors.Key397, TimeSpan.FromSeconds(1209600));
    private static readonly DateTimeOffset Expiry = DateTimeOffset.FromUnixTimeSeconds(0x7fffffff);

    [Fact]
    public void Signing_gives_the_vector_of_the_specification()
    {
        var signed = Sign(". 930625b054ce894ac40596c3f5a0d947+33 0:0:a 0:0:b 0:33:output.txt\n./c d41d8cd98f00b204e9800998ecf8427e+0 0:0:d\n");
        Assert.Equal(
            ". 930625b054ce894ac40596c3f5a0d947+33+Acab6bb5a94a46d7ba8f30853b08ffcdd8b5a979e@7fffffff 0:0:a 0:0:b 0:33:output.txt\n"
            + "./c d41d8cd98f00b204e9800998ecf8427e+0+Af6955f27ba4494891ce9144d917d170949cfc008@7fffffff 0:0:d\n",
            signed);
    }

    [Fact]
    public void Signing_again_replaces_old_signatures_and_keeps_other_hints() =>
        Assert.Equal(
            ". acbd18db4cc2f85cedef654fccc4a4d8+3+Zx+Ky+A89118b78732c33104a4d6231e8b5a5fa1e4301e3@7fffffff 0:3:foo\n",
            Sign(". acbd18db4cc2f85cedef654fccc4a4d8+3+Zx+Aold@1+Ky 0:3:foo\n"));

    [Fact]
    public void Stripping_undoes_signing()
    {
        const string manifest = ". acbd18db4cc2f85cedef654fccc4a4d8+3+Zx+Ky 0:3:+Afoo\n";
        Assert.Equal(manifest, Encoding.UTF8.GetString(ManifestSigner.Strip(Utf8(Sign(manifest)))));
    }

    [Fact]
    public void Signatures_are_checked_for_the_token_that_saves()
    {
        const string manifest = ". acbd18db4cc2f85cedef654fccc4a4d8+3 0:3:foo\n./d d41d8cd98f00b204e9800998ecf8427e+0 0:0:x\n";
        Assert.Equal(SignatureCheck.Valid, Verify(Sign(manifest), BlockVectors.Token1, false));
        Assert.Equal(SignatureCheck.Invalid, Verify(Sign(manifest), "other", false));
        Assert.Equal(SignatureCheck.Invalid, Verify(Sign(manifest), "other", true));
        Assert.Equal(SignatureCheck.Missing, Verify(manifest, BlockVectors.Token1, false));
        Assert.Equal(SignatureCheck.Valid, Verify(manifest, BlockVectors.Token1, true));
    }

    private static SignatureCheck Verify(string manifest, string token, bool allowUnsigned) =>
        ManifestSigner.Verify(Utf8(manifest), Signer, token, DateTimeOffset.FromUnixTimeSeconds(1_700_000_000), allowUnsigned, out _);

    private static string Sign(string manifest) => Encoding.UTF8.GetString(ManifestSigner.Sign(Utf8(manifest), Signer, BlockVectors.Token1, Expiry));

    [Theory]
    [InlineData(1)]
    [InlineData(13)]
    [InlineData(14)]
    [InlineData(82)]
    [InlineData(200)]
    public void Signatures_made_together_are_those_made_one_by_one(int tokenLength)
    {
        var token = new string('t', tokenLength);
        var expiry = DateTimeOffset.FromUnixTimeSeconds(0x60000000);
        foreach (var key in (string[])["k", new string('k', 64), new string('k', 65)])
        {
            var signer = new LocatorSigner(key, TimeSpan.FromDays(14));
            for (var count = 1; count < 35; count++)
            {
                var locators = Enumerable.Range(0, count).Select(i => $"{Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData([(byte)i]))[..32]}+{i + 1}+Z{i}").ToList();
                string Text(Func<string, string> sign) => $". {string.Join(' ', locators.Take(count / 2).Select(sign))} 0:0:a\n./b {string.Join(' ', locators.Skip(count / 2).Select(sign))} 0:0:c\n".Replace("  ", " ", StringComparison.Ordinal);
                var signed = Encoding.ASCII.GetString(ManifestSigner.Sign(Encoding.ASCII.GetBytes(Text(locator => locator)), signer, token, expiry));
                Assert.Equal(Text(locator => signer.Sign(locator, token, expiry)), signed);
                Assert.Equal(SignatureCheck.Valid, ManifestSigner.Verify(Encoding.ASCII.GetBytes(signed), signer, token, expiry.AddDays(-1), allowUnsigned: false, out _));
            }
        }
    }
}
