using System.Xml.Linq;
using KeepFs.WebDav.Requests;
using Microsoft.AspNetCore.Http;

namespace KeepFs.WebDav.Dav;

/// <summary>What a PROPFIND asks for (RFC 4918 9.1).</summary>
/// <param name="Names">Properties that were named, by prop or include; those of prop are answered even if they are missing.</param>
/// <param name="Kind">How the rest is chosen.</param>
internal sealed record PropfindWish(IReadOnlyList<XName> Names, PropfindKind Kind)
{
    /// <summary>Live properties to look for, in the order of the answer.</summary>
    public IReadOnlyList<LiveProperty> Live { get; } = Kind == PropfindKind.Some
        ? [.. Names.Select(LiveProperties.Find).OfType<LiveProperty>()]
        : [.. LiveProperties.All.Where(property => Kind == PropfindKind.Names || property.IsInAllProp || Names.Contains(property.Name))];

    /// <summary>Names that are of no live property.</summary>
    public IReadOnlyList<XName> Dead { get; } = [.. Names.Where(name => LiveProperties.Find(name) is null)];

    public bool WantsDead => Kind != PropfindKind.Some || Dead.Count > 0;

    public bool WantsLocks => Live.Any(property => property.Name.LocalName == "lockdiscovery");

    public bool WantsQuota => Kind != PropfindKind.Names && Live.Any(property => property.Name.LocalName.StartsWith("quota-", StringComparison.Ordinal));

    public static PropfindWish Of(XElement? body)
    {
        if (body is null)
        {
            return new PropfindWish([], PropfindKind.All);
        }

        if (body.Name == XmlBody.Dav + "propfind")
        {
            if (body.Element(XmlBody.Dav + "prop") is { } prop)
            {
                return new PropfindWish(NamesIn(prop), PropfindKind.Some);
            }

            if (body.Element(XmlBody.Dav + "propname") is not null)
            {
                return new PropfindWish([], PropfindKind.Names);
            }

            if (body.Element(XmlBody.Dav + "allprop") is not null)
            {
                return new PropfindWish(body.Element(XmlBody.Dav + "include") is { } include ? NamesIn(include) : [], PropfindKind.All);
            }
        }

        throw new WebException(StatusCodes.Status400BadRequest, "The body is not a propfind with prop, propname or allprop.");
    }

    private static XName[] NamesIn(XElement list) => [.. list.Elements().Select(element => element.Name).Distinct()];
}

/// <summary>How a PROPFIND chooses.</summary>
internal enum PropfindKind
{
    /// <summary>The usual ones and all dead ones.</summary>
    All,

    /// <summary>The names of all, without values.</summary>
    Names,

    /// <summary>Only those that are named.</summary>
    Some,
}
