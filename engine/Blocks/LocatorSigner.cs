using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace KeepFs.Engine.Blocks;

/// <summary>
/// Signs locators for a token and checks such signatures (blocks.md section 3). The token is used exactly as the client
/// presents it; size and hints are not covered. Immutable and safe for concurrent use.
/// </summary>
public sealed partial class LocatorSigner
{
    private const int SignatureLength = 40;
    private readonly byte[] _key;
    private readonly byte[] _messageEnd;
    private readonly SignatureLanes _lanes;

    /// <summary>Creates a signer.</summary>
    /// <param name="key">BlobSigningKey, used as it is; empty means that nothing is signed.</param>
    /// <param name="lifetime">BlobSigningTTL; whole seconds count and are part of the signature.</param>
    public LocatorSigner(ReadOnlySpan<byte> key, TimeSpan lifetime)
    {
        _key = key.ToArray();
        _lanes = new SignatureLanes(key);
        Lifetime = lifetime;
        _messageEnd = Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"@{(long)lifetime.TotalSeconds:x}"));
    }

    /// <inheritdoc cref="LocatorSigner(ReadOnlySpan{byte}, TimeSpan)"/>
    public LocatorSigner(string key, TimeSpan lifetime)
        : this(Encoding.UTF8.GetBytes(key), lifetime)
    {
    }

    /// <summary>How long a fresh signature lasts.</summary>
    public TimeSpan Lifetime { get; }

    /// <summary>False when no key is configured: <see cref="Sign(string, string?, DateTimeOffset)"/> then changes nothing.</summary>
    public bool HasKey => _key.Length > 0;

    /// <summary>
    /// Appends <c>+A&lt;signature&gt;@&lt;expiry&gt;</c>. An existing signature stays: strip it first. Without key or token the
    /// locator is returned unchanged.
    /// </summary>
    public string Sign(string locator, string? token, DateTimeOffset expiry)
    {
        if (_key.Length == 0 || string.IsNullOrEmpty(token))
        {
            return locator;
        }

        var plus = locator.IndexOf('+', StringComparison.Ordinal);
        var expiryHex = ExpiryHex(expiry);
        Span<byte> signature = stackalloc byte[SignatureLength];
        ComputeHex(Encoding.ASCII.GetBytes(plus < 0 ? locator : locator[..plus]), Encoding.UTF8.GetBytes(token), Encoding.ASCII.GetBytes(expiryHex), signature);
        return $"{locator}+A{Encoding.ASCII.GetString(signature)}@{expiryHex}";
    }

    /// <summary>
    /// The hint <c>+A...@...</c> for one block as UTF-8, written to <paramref name="destination"/> (at least
    /// <see cref="HintLength"/> bytes). For signing whole manifests without a string per locator. Needs a key.
    /// </summary>
    /// <param name="hashText">The 32 digits exactly as they stand in the manifest.</param>
    /// <param name="token">UTF-8 of the token.</param>
    /// <param name="expiryHex">Eight hex digits, see <see cref="ExpiryHex"/>.</param>
    /// <param name="destination">Receives the hint.</param>
    public void WriteHint(ReadOnlySpan<byte> hashText, ReadOnlySpan<byte> token, ReadOnlySpan<byte> expiryHex, Span<byte> destination)
    {
        "+A"u8.CopyTo(destination);
        ComputeHex(hashText, token, expiryHex, destination.Slice(2, SignatureLength));
        destination[2 + SignatureLength] = (byte)'@';
        expiryHex.CopyTo(destination[(3 + SignatureLength)..]);
    }

    /// <summary>As <see cref="WriteHint"/> for many blocks of one text, several at once.</summary>
    /// <param name="text">Holds the digits of each hash, and has room for each hint.</param>
    /// <param name="places">Where the digits begin and where the hint shall.</param>
    /// <param name="token">UTF-8 of the token.</param>
    /// <param name="expiryHex">Eight hex digits, see <see cref="ExpiryHex"/>.</param>
    public void WriteHints(Span<byte> text, ReadOnlySpan<(int Hash, int Hint)> places, ReadOnlySpan<byte> token, ReadOnlySpan<byte> expiryHex)
    {
        if (!SignatureLanes.IsSupported || places.Length < SignatureLanes.Count / 2)
        {
            foreach (var (hash, hint) in places)
            {
                WriteHint(text.Slice(hash, BlockHash.TextLength), token, expiryHex, text[hint..]);
            }

            return;
        }

        var tail = SignatureLanes.Tail([(byte)'@', .. token, (byte)'@', .. expiryHex, .. _messageEnd]);
        Span<int> hashes = stackalloc int[SignatureLanes.Count];
        Span<byte> macs = stackalloc byte[SignatureLanes.Count * HMACSHA1.HashSizeInBytes];
        for (var at = 0; at < places.Length; at += SignatureLanes.Count)
        {
            // The last ones are done again where fewer are left.
            var some = places.Slice(at, Math.Min(SignatureLanes.Count, places.Length - at));
            for (var lane = 0; lane < SignatureLanes.Count; lane++)
            {
                hashes[lane] = some[Math.Min(lane, some.Length - 1)].Hash;
            }

            _lanes.Compute(text, hashes, tail, macs);
            for (var lane = 0; lane < some.Length; lane++)
            {
                var hint = text.Slice(some[lane].Hint, HintLength);
                "+A"u8.CopyTo(hint);
                Convert.TryToHexStringLower(macs.Slice(lane * HMACSHA1.HashSizeInBytes, HMACSHA1.HashSizeInBytes), hint.Slice(2, SignatureLength), out _);
                hint[2 + SignatureLength] = (byte)'@';
                expiryHex.CopyTo(hint[(3 + SignatureLength)..]);
            }
        }
    }

    /// <summary>Length of the hint that <see cref="WriteHint"/> writes.</summary>
    public const int HintLength = 2 + SignatureLength + 1 + 8;

    /// <summary>Unix seconds as at least eight lower-case hex digits.</summary>
    public static string ExpiryHex(DateTimeOffset expiry) => expiry.ToUnixTimeSeconds().ToString("x8", CultureInfo.InvariantCulture);

    /// <summary>Checks a locator's signature: form first, then expiry, then the HMAC in constant time.</summary>
    public SignatureCheck Verify(string locator, string token, DateTimeOffset now)
    {
        var match = SignedLocator().Match(locator);
        if (!match.Success)
        {
            return SignatureCheck.Missing;
        }

        var expiry = match.Groups["expiry"].Value;
        if (uint.Parse(expiry, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture) < now.ToUnixTimeSeconds())
        {
            return SignatureCheck.Expired;
        }

        Span<byte> expected = stackalloc byte[SignatureLength];
        ComputeHex(Encoding.ASCII.GetBytes(locator[..BlockHash.TextLength]), Encoding.UTF8.GetBytes(token), Encoding.ASCII.GetBytes(expiry), expected);
        var given = Encoding.ASCII.GetBytes(match.Groups["signature"].Value);
        return CryptographicOperations.FixedTimeEquals(expected, given) ? SignatureCheck.Valid : SignatureCheck.Invalid;
    }

    /// <summary>The expiry written in a signed locator, or null when it carries no well-formed signature.</summary>
    public static DateTimeOffset? ExpiryOf(string locator)
    {
        var match = SignedLocator().Match(locator);
        return match.Success
            ? DateTimeOffset.FromUnixTimeSeconds(uint.Parse(match.Groups["expiry"].Value, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture))
            : null;
    }

    private void ComputeHex(ReadOnlySpan<byte> hashText, ReadOnlySpan<byte> token, ReadOnlySpan<byte> expiryHex, Span<byte> hex)
    {
        var length = hashText.Length + token.Length + expiryHex.Length + _messageEnd.Length + 2;
        var message = length <= 512 ? stackalloc byte[length] : new byte[length];
        hashText.CopyTo(message);
        var at = hashText.Length;
        message[at++] = (byte)'@';
        token.CopyTo(message[at..]);
        at += token.Length;
        message[at++] = (byte)'@';
        expiryHex.CopyTo(message[at..]);
        _messageEnd.CopyTo(message[(at + expiryHex.Length)..]);
        Span<byte> mac = stackalloc byte[HMACSHA1.HashSizeInBytes];
        HMACSHA1.HashData(_key, message, mac);
        Convert.TryToHexStringLower(mac, hex, out _);
    }

    [GeneratedRegex(
        @"\A[0-9a-fA-F]{32}(\+[0-9]+)?(\+[B-Z][A-Za-z0-9@_-]*)*\+A(?<signature>[0-9a-fA-F]{40})@(?<expiry>[0-9a-fA-F]{8})(\+[B-Z][A-Za-z0-9@_-]*)*\z",
        RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex SignedLocator();
}
