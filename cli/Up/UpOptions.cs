using System.Net;

namespace KeepFs.Cli.Up;

/// <summary>What the user asked of <c>keepfs up</c>.</summary>
/// <param name="Data">The folder that everything is kept in.</param>
/// <param name="Volumes">Folders for blocks, one keepstore each; empty = those of the last time, or one under <paramref name="Data"/>.</param>
/// <param name="Mount">Where to mount, or null.</param>
/// <param name="Listen">Address of all services.</param>
/// <param name="PortBase">First port; null = that of the last time, or <see cref="DefaultPortBase"/>.</param>
internal sealed record UpOptions(string Data, IReadOnlyList<string> Volumes, string? Mount, IPAddress Listen, int? PortBase)
{
    /// <summary>Five characters a-z or 0-9; null = that of the last time, or one made at random.</summary>
    public string? ClusterId { get; init; }

    /// <summary>Clients may put the catalogue back to what was imported (<c>POST /database/reset</c>).</summary>
    public bool IsTestMode { get; init; }

    /// <summary>The catalogue's PostgreSQL database as <see cref="Catalog.DatabaseText"/> reads it, <c>sqlite</c> for the file; null = that of the last time, or the file.</summary>
    public string? Database { get; init; }

    /// <summary>With it the first keepstore gets 25107, keepstore's traditional port.</summary>
    public const int DefaultPortBase = 25100;

    /// <summary>Catalogue, as an offset from the base.</summary>
    public const int ApiOffset = 0;

    /// <summary>keep-web.</summary>
    public const int WebOffset = 2;

    /// <summary>The gateway to folders that were published.</summary>
    public const int GatewayOffset = 5;

    /// <summary>The first keepstore; the others follow.</summary>
    public const int KeepstoreOffset = 7;

    /// <summary>Keepstores that fit below the end of the port range a default base leaves.</summary>
    public const int MaxVolumes = 64;
}
