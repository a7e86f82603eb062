namespace KeepFs.Catalog.Storage;

/// <summary>Why the database refused a row.</summary>
/// <param name="IsDuplicate">Another row has the same values; otherwise a value is missing.</param>
/// <param name="Columns">Which, with a comma between them.</param>
internal sealed record ConstraintViolation(bool IsDuplicate, string Columns);
