using System.Globalization;

namespace KeepFs.Fuse.Protocol;

/// <summary>What INIT agreed on. A mount has exactly one INIT, so a process that takes a mount over is told this.</summary>
internal sealed record Negotiation(uint Minor, InitFlags Flags)
{
    public const uint Major = 7;

    /// <summary>The newest minor version that this front knows.</summary>
    public const uint NewestMinor = 45;

    /// <summary>The answer to INIT has had its present size since; Linux 3.15.</summary>
    public const uint OldestMinor = 23;

    /// <summary>Most bytes that one READ or WRITE carries.</summary>
    public const int MaxTransferBytes = 1 << 20;

    private const int PageBytes = 4096;

    // Announced changes reach the kernel, so neither time stamps nor sizes need to tell it to drop pages (ExplicitInvalidateData). Killing
    // set-user-id bits is no work for files that never have them (HandleKillPrivilegesV2), and spares a question for security.capability
    // per write. No write-back cache: another host may move the end of a file, and close, fsync and O_APPEND are to mean what they say. No
    // locks: the kernel then keeps flock and fcntl locks itself, within this host.
    private const InitFlags Wanted = InitFlags.AsyncRead | InitFlags.AtomicTruncate | InitFlags.BigWrites | InitFlags.ReaddirPlus
        | InitFlags.AsyncDirectIo | InitFlags.ParallelDirectoryOperations | InitFlags.MaxPages | InitFlags.ExplicitInvalidateData
        | InitFlags.HandleKillPrivilegesV2 | InitFlags.InitExtended | InitFlags.Passthrough | InitFlags.HasResend;

    public bool HasPassthrough => Flags.HasFlag(InitFlags.Passthrough);

    /// <summary>Requests that were read and not answered can be asked for again.</summary>
    public bool HasResend => Flags.HasFlag(InitFlags.HasResend);

    /// <summary>Takes an INIT; false when it is no INIT that can be agreed with.</summary>
    public static bool TryParse(ReadOnlySpan<byte> request, out InHeader header, out Negotiation agreed, out InitIn offered)
    {
        (agreed, offered) = (new Negotiation(0, InitFlags.None), default);
        var reader = new RequestReader(request);
        if (!reader.TryRead(out header) || header.Opcode != Opcode.Init || !reader.TryRead(out offered)
            || offered.Major != Major || offered.Minor < OldestMinor)
        {
            return false;
        }

        var flags = (ulong)offered.Flags;
        if ((offered.Flags & (uint)InitFlags.InitExtended) != 0 && reader.TryRead(out uint flags2))
        {
            flags |= (ulong)flags2 << 32;
        }

        agreed = new Negotiation(Math.Min(offered.Minor, NewestMinor), Wanted & (InitFlags)flags);
        return true;
    }

    /// <summary>The answer to INIT.</summary>
    public InitOut Answer(in InitIn offered, FuseMountOptions options) => new()
    {
        Major = Major,
        Minor = Minor,
        MaxReadAhead = Math.Max(offered.MaxReadAhead, (uint)options.ReadAheadKib * 1024),
        Flags = (uint)Flags,
        Flags2 = (uint)((ulong)Flags >> 32),
        MaxBackground = (ushort)options.MaxBackgroundRequests,
        CongestionThreshold = (ushort)(options.MaxBackgroundRequests * 3 / 4),
        MaxWrite = MaxTransferBytes,
        TimeGranularity = 1,
        MaxPages = MaxTransferBytes / PageBytes,
        MaxStackDepth = HasPassthrough ? 1u : 0,
    };

    /// <summary>For the command line of a process that takes over.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Minor}:{(ulong)Flags:x}");

    public static bool TryParse(string text, out Negotiation agreed)
    {
        agreed = new Negotiation(0, InitFlags.None);
        if (text.Split(':') is not [var minorText, var flagsText]
            || !uint.TryParse(minorText, NumberStyles.None, CultureInfo.InvariantCulture, out var minor)
            || !ulong.TryParse(flagsText, NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var flags))
        {
            return false;
        }

        agreed = new Negotiation(minor, (InitFlags)flags);
        return true;
    }
}
