using KeepFs.WebDav.Downloads;
using KeepFs.WebDav.S3.Protocol;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace KeepFs.WebDav.S3.Objects;

/// <summary>Conditions on the state of an object, from the request's headers or from those about a copy's source.</summary>
internal sealed record ObjectConditions(string IfMatch, string IfNoneMatch, string IfModifiedSince, string IfUnmodifiedSince)
{
    /// <summary>There is at least one.</summary>
    public bool Any => IfMatch.Length + IfNoneMatch.Length + IfModifiedSince.Length + IfUnmodifiedSince.Length > 0;

    public static ObjectConditions Of(IHeaderDictionary headers) =>
        new(headers.IfMatch.ToString(), headers.IfNoneMatch.ToString(), headers.IfModifiedSince.ToString(), headers.IfUnmodifiedSince.ToString());

    public static ObjectConditions OfCopySource(IHeaderDictionary headers)
    {
        const string prefix = "x-amz-copy-source-if-";
        return new ObjectConditions(
            headers[prefix + "match"].ToString(), headers[prefix + "none-match"].ToString(),
            headers[prefix + "modified-since"].ToString(), headers[prefix + "unmodified-since"].ToString());
    }

    /// <summary>For writing: what S3 knows is If-Match and If-None-Match: *.</summary>
    public static ObjectConditions ForWriting(IHeaderDictionary headers)
    {
        var conditions = Of(headers) with { IfModifiedSince = "", IfUnmodifiedSince = "" };
        return conditions.IfNoneMatch is "" or "*" ? conditions : throw S3Errors.NotImplemented("If-None-Match with a tag, for writing");
    }

    /// <summary>Name of the condition that does not hold and whether an answer to GET would be 304; null when all hold.</summary>
    /// <param name="tag">The object's tag; null when there is none.</param>
    /// <param name="modifiedAt">The object's time.</param>
    public (string Name, bool IsNotModified)? FirstBroken(string? tag, DateTimeOffset modifiedAt)
    {
        if (IfMatch.Length > 0)
        {
            if (tag is null || !Matches(IfMatch, tag, weak: false))
            {
                return ("If-Match", false);
            }
        }
        else if (tag is not null && Date(IfUnmodifiedSince) is { } unmodified && Preconditions.Seconds(modifiedAt) > unmodified)
        {
            return ("If-Unmodified-Since", false);
        }

        if (IfNoneMatch.Length > 0)
        {
            return tag is not null && Matches(IfNoneMatch, tag, weak: true) ? ("If-None-Match", true) : null;
        }

        return tag is not null && Date(IfModifiedSince) is { } modified && Preconditions.Seconds(modifiedAt) <= modified ? ("If-Modified-Since", true) : null;
    }

    /// <summary>Throws 412 unless all hold.</summary>
    public void Require(string? tag, DateTimeOffset modifiedAt)
    {
        if (FirstBroken(tag, modifiedAt) is { } broken)
        {
            throw tag is null && broken.Name == "If-Match" ? S3Errors.NoSuchKey() : S3Errors.PreconditionFailed(broken.Name);
        }
    }

    /// <summary>S3 clients leave out the quotes at times.</summary>
    private static bool Matches(string list, string tag, bool weak) => EntityTag.ListMatches(list, tag, weak) || list.Trim() == tag.Trim('"');

    private static DateTimeOffset? Date(string text) => HeaderUtilities.TryParseDate(text, out var date) ? date : null;
}
