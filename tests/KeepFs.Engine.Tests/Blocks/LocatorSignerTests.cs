using System.Globalization;
using KeepFs.Engine.Blocks;

namespace KeepFs.Engine.Tests.Blocks;

public sealed class LocatorSignerTests
{
    private const string H = "acbd18db4cc2f85cedef654fccc4a4d8";
    private const string Sig = "+A89118b78732c33104a4d6231e8b5a5fa1e4301e3@7fffffff";
    private static readonly DateTimeOffset Now = new(2026, 11, 21, 0, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(H + "+3", BlockVectors.Token1, BlockVectors.Key397, 1209600, "7fffffff", H + "+3" + Sig)]
    [InlineData(H, BlockVectors.Token1, BlockVectors.Key397, 1209600, "7fffffff", H + Sig)]
    [InlineData(H + "+3+K@xyzzy", BlockVectors.Token1, BlockVectors.Key397, 1209600, "7fffffff", H + "+3+K@xyzzy" + Sig)]
    [InlineData(H + "+3", BlockVectors.Token1, BlockVectors.Key397, 2419200, "7fffffff", H + "+3+A02480c27aaa54c14dca506860053a6aed4fc488b@7fffffff")]
    [InlineData("d41d8cd98f00b204e9800998ecf8427e+0", BlockVectors.Token2, BlockVectors.KeyB, 1209600, "5835c8bc", "d41d8cd98f00b204e9800998ecf8427e+0+A26bf3dc976bf0c2b841b1adbf6aa15dcf4add52e@5835c8bc")]
    [InlineData("d41d8cd98f00b204e9800998ecf8427e+0", BlockVectors.Token2Secret, BlockVectors.KeyB, 1209600, "5835c8bc", "d41d8cd98f00b204e9800998ecf8427e+0+Ad12595439da75fd66c3429d5fa188934843129d7@5835c8bc")]
    [InlineData("37b51d194a7513e45b56f6524f2d51f2+3", "token-a", "k", 60, "0000beef", "37b51d194a7513e45b56f6524f2d51f2+3+Acbc09eaaddf761d32ca2921ba9aef4161ed9c9e7@0000beef")]
    [InlineData("7f614da9329cd3aebf59b91aadc30bf0+67108864", "token-a", "k", 3600, "f0000000", "7f614da9329cd3aebf59b91aadc30bf0+67108864+A0ce10dea1087c2e94ab6e533e5b86089d5bffceb@f0000000")]
    public void Signing_gives_the_vectors(string locator, string token, string key, int ttlSeconds, string expiryHex, string expected)
    {
        var signer = new LocatorSigner(key, TimeSpan.FromSeconds(ttlSeconds));
        var expiry = DateTimeOffset.FromUnixTimeSeconds(long.Parse(expiryHex, NumberStyles.HexNumber, CultureInfo.InvariantCulture));
        Assert.Equal(expected, signer.Sign(locator, token, expiry));
        Assert.Equal(SignatureCheck.Valid, signer.Verify(expected, token, expiry));
        Assert.Equal(SignatureCheck.Expired, signer.Verify(expected, token, expiry.AddSeconds(1)));
        Assert.Equal(expiry, LocatorSigner.ExpiryOf(expected));
    }

    [Theory]
    [InlineData(H + "+3" + Sig, SignatureCheck.Valid)]
    [InlineData(H + Sig, SignatureCheck.Valid)]
    [InlineData(H + "+999999" + Sig, SignatureCheck.Valid)]
    [InlineData(H + "+3+K@xyzzy" + Sig, SignatureCheck.Valid)]
    [InlineData(H + "+3" + Sig + "+Zfoo", SignatureCheck.Valid)]
    [InlineData(H + "+3+K@xyzzy" + Sig + "+Zfoo", SignatureCheck.Valid)]
    [InlineData(H + "+3+Rzzzzz-89118b78732c33104a4d6231e8b5a5fa1e4301e3@7fffffff" + Sig, SignatureCheck.Valid)]
    [InlineData(H + "+3", SignatureCheck.Missing)]
    [InlineData(H + "+3+Aaaaaaaaaaaaaaaaa@7fffffff", SignatureCheck.Missing)]
    [InlineData(H + "+3+A89118b78732c33104a4d6231e8b5a5fa1e4301e3@OOOOOOOl", SignatureCheck.Missing)]
    [InlineData(H + "+3+A89118b78732c33104a4d6231e8b5a5fa1e4301e3@07fffffff", SignatureCheck.Missing)]
    [InlineData(H + "+3" + Sig + Sig, SignatureCheck.Missing)]
    [InlineData(H + "+3" + Sig + "+Azzz", SignatureCheck.Missing)]
    [InlineData(H + "+K@xyzzy+3" + Sig, SignatureCheck.Missing)]
    [InlineData(H + "+3+z" + Sig, SignatureCheck.Missing)]
    [InlineData("ACBD18DB4CC2F85CEDEF654FCCC4A4D8+3" + Sig, SignatureCheck.Invalid)]
    [InlineData(H + "+3+A89118B78732C33104A4D6231E8B5A5FA1E4301E3@7FFFFFFF", SignatureCheck.Invalid)]
    [InlineData(H + "+3+A89118b78732c33104a4d6231e8b5a5fa1e4301e3@7FFFFFFF", SignatureCheck.Invalid)]
    [InlineData(H + "+3+A99118b78732c33104a4d6231e8b5a5fa1e4301e3@7fffffff", SignatureCheck.Invalid)]
    [InlineData(H + "+3+A781c63a3e9ed6c6159b2b0395fec1bea42f92581@50000000", SignatureCheck.Expired)]
    public void Verification_gives_the_vectors(string locator, SignatureCheck expected) =>
        Assert.Equal(expected, new LocatorSigner(BlockVectors.Key397, TimeSpan.FromSeconds(1209600)).Verify(locator, BlockVectors.Token1, Now));

    [Fact]
    public void Another_token_key_or_lifetime_does_not_verify()
    {
        const string signed = H + "+3" + Sig;
        Assert.Equal(SignatureCheck.Invalid, new LocatorSigner(BlockVectors.Key397, TimeSpan.FromSeconds(1209600)).Verify(signed, "other", Now));
        Assert.Equal(SignatureCheck.Invalid, new LocatorSigner(BlockVectors.KeyB, TimeSpan.FromSeconds(1209600)).Verify(signed, BlockVectors.Token1, Now));
        Assert.Equal(SignatureCheck.Invalid, new LocatorSigner(BlockVectors.Key397, TimeSpan.FromSeconds(2419200)).Verify(signed, BlockVectors.Token1, Now));
        Assert.Equal(
            SignatureCheck.Expired,
            new LocatorSigner(BlockVectors.Key397, TimeSpan.FromSeconds(1209600)).Verify(H + "+3+A781c63a3e9ed6c6159b2b0395fec1bea42f92581@50000000", "other", Now));
    }

    [Fact]
    public void Without_key_or_token_nothing_is_signed()
    {
        Assert.Equal(H, new LocatorSigner("", TimeSpan.FromHours(1)).Sign(H, "t", Now));
        Assert.Equal(H, new LocatorSigner("k", TimeSpan.FromHours(1)).Sign(H, "", Now));
    }
}
