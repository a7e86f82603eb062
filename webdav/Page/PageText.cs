using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;

namespace KeepFs.WebDav.Page;

/// <summary>Frame and small parts of all pages.</summary>
internal sealed class PageText(PageAssets assets)
{
    private static readonly string[] Units = ["bytes", "kB", "MB", "GB", "TB", "PB", "EB"];

    /// <summary>A value for a page's Content-Security-Policy, used once.</summary>
    public static string NewNonce() => RandomNumberGenerator.GetHexString(32, lowercase: true);

    /// <summary>Everything before the content of the body.</summary>
    /// <param name="title">Not yet escaped.</param>
    /// <param name="nonce">As in the policy.</param>
    /// <param name="bodyAttributes">Escaped; starts with a space, or "".</param>
    public StringBuilder Begin(string title, string nonce, string bodyAttributes) => new(
        $"<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><meta name=\"robots\" content=\"NOINDEX\">"
        + $"<meta name=\"color-scheme\" content=\"light dark\"><title>{Encode(title)}</title><link rel=\"icon\" href=\"/_keepfs/icon.svg\"><link rel=\"stylesheet\" nonce=\"{nonce}\" href=\"{assets.StyleUrl}\">"
        + $"<script defer nonce=\"{nonce}\" src=\"{assets.ScriptUrl}\"></script></head>\n<body{bodyAttributes}>\n");

    public static string Encode(string text) => WebUtility.HtmlEncode(text);

    /// <summary>A size as people read it, in decimal units.</summary>
    public static string Size(long bytes)
    {
        var (value, unit) = ((double)bytes, 0);
        while (value >= 999.5 && unit < Units.Length - 1)
        {
            (value, unit) = (value / 1000, unit + 1);
        }

        return unit == 0 ? FormattableString.Invariant($"{bytes} {(bytes == 1 ? "byte" : "bytes")}")
            : value < 9.95 ? FormattableString.Invariant($"{value:0.0} {Units[unit]}") : FormattableString.Invariant($"{value:0} {Units[unit]}");
    }

    public static string Time(DateTimeOffset time) => time == DateTimeOffset.UnixEpoch ? ""
        : string.Create(CultureInfo.InvariantCulture, $"<time datetime=\"{time.UtcDateTime:yyyy-MM-ddTHH:mm:ssZ}\">{time.UtcDateTime:yyyy-MM-dd HH:mm} UTC</time>");
}
