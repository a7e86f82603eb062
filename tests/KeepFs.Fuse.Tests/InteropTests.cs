using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using KeepFs.Fuse.Interop;

namespace KeepFs.Fuse.Tests;

public sealed class InteropTests
{
    [Fact]
    public void Structs_have_the_sizes_and_offsets_of_the_c_headers()
    {
        Assert.Equal(144, Unsafe.SizeOf<NativeStat>());
        Assert.Equal(176, Unsafe.SizeOf<FuseEntryParam>());
        Assert.Equal(40, Unsafe.SizeOf<FuseFileInfo>());
        Assert.Equal(112, Unsafe.SizeOf<NativeStatVfs>());
        Assert.Equal(128, Unsafe.SizeOf<FuseConnInfo>());
        Assert.Equal(352, Unsafe.SizeOf<FuseLowLevelOps>());
        Assert.Equal(16, Unsafe.SizeOf<FuseContext>());
        Assert.Equal(24, Unsafe.SizeOf<FuseArgs>());
        Assert.Equal(24, (int)Marshal.OffsetOf<NativeStat>(nameof(NativeStat.Mode)));
        Assert.Equal(48, (int)Marshal.OffsetOf<NativeStat>(nameof(NativeStat.Size)));
        Assert.Equal(88, (int)Marshal.OffsetOf<NativeStat>(nameof(NativeStat.ModifySeconds)));
        Assert.Equal(16, (int)Marshal.OffsetOf<FuseFileInfo>(nameof(FuseFileInfo.Handle)));
        Assert.Equal(160, (int)Marshal.OffsetOf<FuseEntryParam>(nameof(FuseEntryParam.AttributeTimeoutSeconds)));
    }
}
