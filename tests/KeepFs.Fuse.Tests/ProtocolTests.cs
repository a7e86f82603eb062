using System.Buffers.Binary;
using System.Runtime.InteropServices;
using KeepFs.Fuse.Inodes;
using KeepFs.Fuse.Interop;
using KeepFs.Fuse.Mounting;
using KeepFs.Fuse.Protocol;
using KeepFs.Fuse.Session;
using KeepFs.Testing;

namespace KeepFs.Fuse.Tests;

/// <summary>Requests as bytes, through the dispatcher, with a socket in place of the kernel.</summary>
public sealed unsafe class ProtocolTests : IDisposable
{
    private const int HeaderBytes = 40;

    private static readonly Opcode[] Answered =
    [
        .. Enum.GetValues<Opcode>().Except([Opcode.Forget, Opcode.BatchForget, Opcode.Interrupt, Opcode.NotifyReply]),
    ];

    private readonly MemoryFileSystem _tree = new(TimeProvider.System);
    private readonly List<string> _log = [];
    private readonly FuseSession _session;
    private readonly FuseDevice _kernel;
    private readonly FuseDevice _ours;

    public ProtocolTests()
    {
        var ends = stackalloc int[2];
        const int Packets = 5;
        Assert.Equal(0, LibC.SocketPair(LibC.SocketUnix, Packets, 0, ends));
        (_kernel, _ours) = (new FuseDevice(ends[0]), new FuseDevice(ends[1]));
        var options = new FuseMountOptions { MountPoint = "/" };
        var inodes = new InodeTable(_tree.Root);
        var notifier = new KernelNotifier(inodes, 10, _log.Add);
        _session = new FuseSession(new KeepFuse(_tree, options, inodes, new HandleTable(), new PassthroughTable(), notifier), options, _log.Add);
    }

    public void Dispose()
    {
        _kernel.Dispose();
        _ours.Dispose();
    }

    [Fact]
    public void Request_cut_short_anywhere_is_refused_and_never_more()
    {
        foreach (var opcode in Answered)
        {
            for (var body = 0; body < 100; body++)
            {
                var request = Request(opcode, new byte[body]);
                Assert.InRange(Ask(request), -Errno.ESTALE, 0);
            }
        }

        Assert.Empty(_log);
    }

    [Theory]
    [InlineData((uint)Opcode.Lookup)]
    [InlineData((uint)Opcode.Read)]
    [InlineData((uint)Opcode.Write)]
    [InlineData((uint)Opcode.Rename2)]
    [InlineData((uint)Opcode.Create)]
    [InlineData((uint)Opcode.GetXAttr)]
    [InlineData((uint)Opcode.SetAttr)]
    public void Request_without_its_body_is_invalid(uint opcode) => Assert.Equal(-Errno.EINVAL, Ask(Request((Opcode)opcode, [])));

    [Fact]
    public void Length_that_is_not_what_was_read_is_a_protocol_error()
    {
        var request = Request(Opcode.GetAttr, new byte[16]);
        BinaryPrimitives.WriteUInt32LittleEndian(request, 1000);

        Assert.Equal(-Errno.EPROTO, Ask(request));
    }

    [Fact]
    public void Write_that_claims_more_data_than_it_has_is_invalid()
    {
        var body = new byte[40 + 10];
        BinaryPrimitives.WriteUInt32LittleEndian(body.AsSpan(16), 11);

        Assert.Equal(-Errno.EINVAL, Ask(Request(Opcode.Write, body)));
    }

    [Fact]
    public void Unknown_operation_is_not_implemented() => Assert.Equal(-Errno.ENOSYS, Ask(Request((Opcode)4711, new byte[8])));

    [Fact]
    public void Second_init_is_a_protocol_error() => Assert.Equal(-Errno.EPROTO, Ask(Request(Opcode.Init, new byte[64])));

    [Fact]
    public void Bytes_too_few_for_a_header_are_ignored()
    {
        for (var length = 0; length < HeaderBytes; length++)
        {
            Assert.True(Dispatcher.Dispatch(_session, _ours.Descriptor, new byte[100], length));
        }

        Assert.Equal(HeaderBytes, _log.Count);
    }

    [Fact]
    public void Messages_without_an_answer_may_be_anything()
    {
        var random = new Random(3);
        foreach (var opcode in new[] { Opcode.Forget, Opcode.BatchForget, Opcode.Interrupt, Opcode.NotifyReply })
        {
            for (var i = 0; i < 200; i++)
            {
                var body = new byte[random.Next(60)];
                random.NextBytes(body);
                var request = Request(opcode, body);
                Assert.True(Dispatcher.Dispatch(_session, _ours.Descriptor, request, request.Length));
            }
        }

        Assert.Empty(_log);
    }

    [Fact]
    public void Random_bytes_are_answered_once_and_crash_nothing()
    {
        var random = new Random(7);
        for (var i = 0; i < 20_000; i++)
        {
            var body = new byte[random.Next(200)];
            random.NextBytes(body);
            if (random.Next(2) == 0)
            {
                // Names that end, numbers that are small: further into the operations.
                body.AsSpan(body.Length / 2).Clear();
                body.AsSpan(0, body.Length / 3).Clear();
            }

            var request = Request(Answered[random.Next(Answered.Length)], body);
            BinaryPrimitives.WriteUInt64LittleEndian(request.AsSpan(16), (ulong)random.Next(3));
            Assert.InRange(Ask(request), -133, 0);
        }
    }

    [Theory]
    [InlineData(7, 45, true)]
    [InlineData(7, 23, true)]
    [InlineData(7, 22, false)]
    [InlineData(8, 1, false)]
    [InlineData(6, 99, false)]
    public void Init_is_agreed_with_from_linux_3_15_on(uint major, uint minor, bool isAgreed)
    {
        var body = new byte[64];
        BinaryPrimitives.WriteUInt32LittleEndian(body, major);
        BinaryPrimitives.WriteUInt32LittleEndian(body.AsSpan(4), minor);
        BinaryPrimitives.WriteUInt32LittleEndian(body.AsSpan(12), uint.MaxValue);
        BinaryPrimitives.WriteUInt32LittleEndian(body.AsSpan(16), uint.MaxValue);

        Assert.Equal(isAgreed, Negotiation.TryParse(Request(Opcode.Init, body), out _, out var agreed, out _));

        Assert.Equal(isAgreed, agreed.HasPassthrough && agreed.HasResend);
        Assert.Equal(0UL, (ulong)agreed.Flags & (1 << 1 | 1 << 10 | 1 << 16 | 1 << 17));
        Assert.True(Negotiation.TryParse(agreed.ToString(), out var again));
        Assert.Equal(agreed, again);
    }

    [Fact]
    public void Init_cut_short_is_refused()
    {
        var whole = Request(Opcode.Init, new byte[64]);
        for (var length = 0; length < HeaderBytes + 16; length++)
        {
            Assert.False(Negotiation.TryParse(whole.AsSpan(0, length), out _, out _, out _));
        }
    }

    private static byte[] Request(Opcode opcode, ReadOnlySpan<byte> body)
    {
        var request = new byte[HeaderBytes + body.Length];
        MemoryMarshal.Write(request, new InHeader { Length = (uint)request.Length, Opcode = opcode, Unique = 42, NodeId = 1 });
        body.CopyTo(request.AsSpan(HeaderBytes));
        return request;
    }

    /// <summary>The error of the one answer.</summary>
    private int Ask(byte[] request)
    {
        Assert.True(Dispatcher.Dispatch(_session, _ours.Descriptor, request, request.Length));
        var answer = new byte[2 << 20];
        fixed (byte* pointer = answer)
        {
            var length = LibC.Read(_kernel.Descriptor, pointer, (nuint)answer.Length);
            var header = MemoryMarshal.Read<OutHeader>(answer);
            Assert.Equal(length, (nint)header.Length);
            Assert.Equal(42UL, header.Unique);
            return header.Error;
        }
    }
}
