using KeepFs.Catalog.Records;

namespace KeepFs.Catalog.Storage;

/// <summary>One page of a list.</summary>
/// <param name="Rows">The records.</param>
/// <param name="Available">Matches without regard to the page; null when not counted.</param>
/// <param name="Limit">The limit in effect.</param>
internal sealed record ListPage(IReadOnlyList<Row> Rows, long? Available, int Limit);
