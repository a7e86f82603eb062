using KeepFs.Testing.Posix;

namespace KeepFs.Conformance.Tests.Posix;

/// <summary>The expectations themselves: the local disk meets them.</summary>
public sealed class LocalPosixTests : PosixContract
{
    protected override string Root { get; } = Directory.CreateTempSubdirectory("keepfs-posix-").FullName;

    protected override bool HoldsOnlyContent => false;
}
