using KeepFs.Testing.Posix;

namespace KeepFs.Conformance.Tests.Posix;

/// <summary>The mount, in a collection of its own for each case.</summary>
[Collection(ClusterTests.Name)]
public sealed class MountPosixTests : PosixContract
{
    public MountPosixTests(SharedCluster shared)
    {
        Root = Path.Combine(shared.Process.Home, $"posix {Guid.NewGuid():n}");
        Directory.CreateDirectory(Root);
    }

    protected override string Root { get; }

    protected override bool HoldsOnlyContent => true;
}
