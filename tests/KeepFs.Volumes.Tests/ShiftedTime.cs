namespace KeepFs.Volumes.Tests;

/// <summary>The clock of the system, so much ahead.</summary>
internal sealed class ShiftedTime(TimeSpan ahead) : TimeProvider
{
    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + ahead;
}
