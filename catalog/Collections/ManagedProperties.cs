using System.Text.Json;
using System.Text.Json.Nodes;
using KeepFs.Catalog.Permissions;
using KeepFs.Catalog.Records;
using KeepFs.Catalog.Requests;
using KeepFs.Catalog.Storage;
using KeepFs.Hosting.Configuration;

namespace KeepFs.Catalog.Collections;

/// <summary>Properties that the configuration gives to every new collection, and those that only admins change (catalog-api.md 4.8).</summary>
internal static class ManagedProperties
{
    /// <summary>The only function there is: the user at the root of the chain of owners.</summary>
    public const string OriginalOwner = "original_owner";

    /// <summary>The properties of a new collection with what is missing.</summary>
    /// <param name="session">The transaction.</param>
    /// <param name="config">The properties by name.</param>
    /// <param name="properties">As the client gave them, in stored form.</param>
    /// <param name="owner">The new collection's owner.</param>
    public static string Fill(CatalogSession session, IReadOnlyDictionary<string, ManagedPropertyConfig> config, string properties, string owner)
    {
        if (config.Count == 0)
        {
            return properties;
        }

        var given = JsonNode.Parse(properties)!.AsObject();
        foreach (var (key, managed) in config.Where(entry => !given.ContainsKey(entry.Key)))
        {
            given[key] = managed.Function == OriginalOwner ? RootOwner(session, owner) : managed.Value;
        }

        using var document = JsonDocument.Parse(given.ToJsonString());
        return AttributeSet.CanonicalJson(document.RootElement);
    }

    /// <summary>403 when somebody else than an admin changes or removes a protected property that is there.</summary>
    public static void RequireUnchanged(Caller caller, IReadOnlyDictionary<string, ManagedPropertyConfig> config, Row before, Row after)
    {
        if (caller.IsAdmin || config.Count == 0 || Equals(before["properties"], after["properties"]))
        {
            return;
        }

        var (old, now) = (JsonNode.Parse(before.Text("properties")!)!.AsObject(), JsonNode.Parse(after.Text("properties")!)!.AsObject());
        foreach (var (key, _) in config.Where(entry => entry.Value.Protected && old.ContainsKey(entry.Key)))
        {
            if (!now.ContainsKey(key) || !JsonNode.DeepEquals(old[key], now[key]))
            {
                throw ApiException.Forbidden($"the property '{key}' is protected: only an admin may change or remove it");
            }
        }
    }

    // Cycles cannot be made; the limit holds should one be there all the same.
    private static string RootOwner(CatalogSession session, string owner)
    {
        for (var i = 0; i < 1000 && Uuids.IsGroup(owner) && session.Scalar("SELECT owner_uuid FROM groups WHERE uuid = @p0", owner) is string above; i++)
        {
            owner = above;
        }

        return owner;
    }
}
