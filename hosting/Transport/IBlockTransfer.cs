using KeepFs.Engine.Volumes;

namespace KeepFs.Hosting.Transport;

/// <summary>
/// A feature of connections whose transport moves a block between the socket and the caller's memory without a copy in between. Absent on
/// other transports; and never used with TLS, where the socket carries other bytes than the request.
/// </summary>
public interface IBlockTransfer
{
    /// <summary>
    /// The next bytes of the connection, up to the size of this memory, are received into it, at most <paramref name="destination"/> and
    /// in order; readers of the request's body see them there. Call it when the headers are read and the length of the body is known to be
    /// at least that of the memory. The memory is the transport's until that many bytes came or <see cref="StopReceiving"/>.
    /// </summary>
    void ReceiveInto(Memory<byte> destination);

    /// <summary>Takes the memory back. Not while a read is under way.</summary>
    void StopReceiving();

    /// <summary>
    /// The next memory that the response's body writer hands out is this; advancing and flushing it sends it from where it is. It must
    /// not change until that flush is complete. Call it after the response was started.
    /// </summary>
    void SendFrom(ReadOnlyMemory<byte> source);

    /// <summary>
    /// The same with the bytes of a file, which the kernel sends without a copy; the memory that the body writer hands out only counts and must not be used.
    /// A file that ends early or cannot be read ends the connection.
    /// </summary>
    void SendFrom(BlockFile source);
}
