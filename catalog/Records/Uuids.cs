using System.Security.Cryptography;

namespace KeepFs.Catalog.Records;

/// <summary>UUIDs: <c>CCCCC-TTTTT-XXXXXXXXXXXXXXX</c> (catalog-api.md 2.1), and those that every cluster has.</summary>
internal sealed class Uuids(string clusterId)
{
    public const int Length = 27;
    private const string Alphabet = "0123456789abcdefghijklmnopqrstuvwxyz";

    // Kinds of records that other parts of an Arvados cluster keep; filters of "is_a" may name them.
    private static readonly Dictionary<string, string> OtherKinds = new(StringComparer.Ordinal)
    {
        ["arvados#workflow"] = "7fd4e",
        ["arvados#containerRequest"] = "xvhdp",
        ["arvados#container"] = "dz642",
        ["arvados#authorizedKey"] = "fngyi",
        ["arvados#virtualMachine"] = "2x53u",
        ["arvados#credential"] = "oss07",
    };

    public string ClusterId => clusterId;

    public string SystemUser => $"{clusterId}-tpzed-000000000000000";

    public string AnonymousUser => $"{clusterId}-tpzed-anonymouspublic";

    public string SystemGroup => $"{clusterId}-j7d0g-000000000000000";

    public string AnonymousRole => $"{clusterId}-j7d0g-anonymouspublic";

    public string AllUsersRole => $"{clusterId}-j7d0g-fffffffffffffff";

    public string PublicProject => $"{clusterId}-j7d0g-publicfavorites";

    public string SystemToken => $"{clusterId}-gj3su-000000000000000";

    public string AnonymousToken => $"{clusterId}-gj3su-anonymouspublic";

    /// <summary>Holds checkpoints; there only when there are some.</summary>
    public string CheckpointProject => $"{clusterId}-j7d0g-keepfscheckpnts";

    /// <summary>How the UUIDs of collections that are checkpoints begin.</summary>
    public string CheckpointPrefix => $"{clusterId}-4zz18-keepfsckp";

    public string Create(RecordType type) => $"{clusterId}-{type.Infix}-{RandomNumberGenerator.GetString(Alphabet, 15)}";

    /// <summary>Users and groups that every cluster has.</summary>
    public string[] WellKnown => [SystemUser, AnonymousUser, SystemGroup, AnonymousRole, AllUsersRole, PublicProject];

    public bool IsWellKnown(string uuid) => WellKnown.Contains(uuid);

    /// <summary>A kind of records of an Arvados cluster that this server does not keep.</summary>
    public static bool IsOtherKind(string kind) => OtherKinds.ContainsKey(kind);

    public static bool IsUuid(string? text) =>
        text is { Length: Length } && text[5] == '-' && text[11] == '-'
        && text.Where((_, index) => index is not (5 or 11)).All(c => char.IsAsciiDigit(c) || char.IsAsciiLetterLower(c));

    public static string? Infix(string? uuid) => IsUuid(uuid) ? uuid!.Substring(6, 5) : null;

    public static bool IsUser(string? uuid) => Infix(uuid) == "tpzed";

    public static bool IsGroup(string? uuid) => Infix(uuid) == "j7d0g";

    public static string? InfixOfKind(string kind) =>
        RecordTypes.All.FirstOrDefault(type => type.Kind == kind)?.Infix ?? OtherKinds.GetValueOrDefault(kind);

    public static string? KindOfUuid(string? uuid) => Infix(uuid) is not { } infix
        ? null
        : RecordTypes.OfUuid(uuid)?.Kind ?? OtherKinds.FirstOrDefault(pair => pair.Value == infix).Key;
}
