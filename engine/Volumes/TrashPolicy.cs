namespace KeepFs.Engine.Volumes;

/// <summary>When a block may go (keepstore-http.md 9). Times are Unix nanoseconds of one clock.</summary>
/// <param name="MinimumAge">BlobSigningTTL: whoever got a signature may rely on the block for so long.</param>
/// <param name="Lifetime">BlobTrashLifetime; zero deletes at once.</param>
/// <param name="Time">The clock of mtimes and deadlines.</param>
public sealed record TrashPolicy(TimeSpan MinimumAge, TimeSpan Lifetime, TimeProvider Time)
{
    /// <summary>Now, in nanoseconds since the epoch.</summary>
    public long NowNanoseconds => (Time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks * TimeSpan.NanosecondsPerTick;

    /// <summary>Touched less than the minimum age ago (or in the future, by another clock).</summary>
    public bool IsTooYoung(long mtimeNanoseconds) => NowNanoseconds - mtimeNanoseconds < MinimumAge.Ticks * TimeSpan.NanosecondsPerTick;

    /// <summary>When what is trashed now may be deleted, in seconds since the epoch.</summary>
    public long DeadlineSeconds => (Time.GetUtcNow() + Lifetime).ToUnixTimeSeconds();
}
