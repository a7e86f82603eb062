namespace KeepFs.Hosting.Configuration;

/// <summary>The file that a configuration was read from, so that one can see on <c>/metrics</c> which one a server runs with.</summary>
/// <param name="Sha256">Of its bytes, in hex.</param>
/// <param name="ChangedAt">Its modification time.</param>
/// <param name="LoadedAt">When it was read.</param>
public sealed record ConfigSource(string Sha256, DateTimeOffset ChangedAt, DateTimeOffset LoadedAt);
