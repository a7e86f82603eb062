using KeepFs.Catalog.Records;
using KeepFs.Catalog.Storage;

namespace KeepFs.Catalog.Groups;

/// <summary>One page of a list of several types.</summary>
internal sealed record MixedPage(
    IReadOnlyList<Row> Items, long? Available, int Limit, long Offset, IReadOnlyList<Row>? Included, Func<RecordType, Projection> ProjectionOf);
