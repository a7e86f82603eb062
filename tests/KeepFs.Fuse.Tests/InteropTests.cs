using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using KeepFs.Fuse.Interop;
using KeepFs.Fuse.Protocol;

namespace KeepFs.Fuse.Tests;

public sealed class InteropTests
{
    [Fact]
    public void Requests_have_the_sizes_of_the_kernels_header()
    {
        Assert.Equal(40, Unsafe.SizeOf<InHeader>());
        Assert.Equal(88, Unsafe.SizeOf<SetAttrIn>());
        Assert.Equal(16, Unsafe.SizeOf<MkNodIn>());
        Assert.Equal(8, Unsafe.SizeOf<MkDirIn>());
        Assert.Equal(16, Unsafe.SizeOf<Rename2In>());
        Assert.Equal(8, Unsafe.SizeOf<OpenIn>());
        Assert.Equal(16, Unsafe.SizeOf<CreateIn>());
        Assert.Equal(40, Unsafe.SizeOf<TransferIn>());
        Assert.Equal(32, (int)Marshal.OffsetOf<TransferIn>(nameof(TransferIn.Flags)));
        Assert.Equal(8, Unsafe.SizeOf<GetXAttrIn>());
        Assert.Equal(16, Unsafe.SizeOf<ForgetOne>());
        Assert.Equal(8, Unsafe.SizeOf<BatchForgetIn>());
    }

    [Fact]
    public void Answers_have_the_sizes_of_the_kernels_header()
    {
        Assert.Equal(16, Unsafe.SizeOf<OutHeader>());
        Assert.Equal(64, Unsafe.SizeOf<InitOut>());
        Assert.Equal(88, Unsafe.SizeOf<Attributes>());
        Assert.Equal(104, Unsafe.SizeOf<AttributesOut>());
        Assert.Equal(128, Unsafe.SizeOf<EntryOut>());
        Assert.Equal(16, Unsafe.SizeOf<OpenOut>());
        Assert.Equal(144, Unsafe.SizeOf<CreateOut>());
        Assert.Equal(8, Unsafe.SizeOf<SizeOut>());
        Assert.Equal(80, Unsafe.SizeOf<TotalsOut>());
        Assert.Equal(24, Unsafe.SizeOf<DirectoryEntryHeader>());
        Assert.Equal(24, Unsafe.SizeOf<InvalidateInodeOut>());
        Assert.Equal(16, Unsafe.SizeOf<InvalidateEntryOut>());
        Assert.Equal(16, Unsafe.SizeOf<BackingMap>());
    }

    [Fact]
    public void Structures_of_the_c_library_have_its_sizes()
    {
        Assert.Equal(152, Unsafe.SizeOf<SignalDisposition>());
        Assert.Equal(56, Unsafe.SizeOf<MessageHeader>());
        Assert.Equal(16, Unsafe.SizeOf<IoVector>());
        Assert.Equal(24, Unsafe.SizeOf<DescriptorMessage>());
    }
}
