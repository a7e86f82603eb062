using System.Text;

namespace KeepFs.Cli.Bench;

/// <summary>One request of a load, ready to send.</summary>
/// <param name="Head">Request line and headers.</param>
/// <param name="Body">Shared by all requests of a load.</param>
/// <param name="Tail">Follows the body and makes it different from the others'.</param>
/// <param name="HasAnswerBody">False for HEAD, whose answer announces a body that does not come.</param>
internal sealed record LoadRequest(byte[] Head, ReadOnlyMemory<byte> Body, ReadOnlyMemory<byte> Tail, bool HasAnswerBody)
{
    public long BodyBytes => Body.Length + Tail.Length;

    /// <summary>A request without a body.</summary>
    public static LoadRequest Of(string method, string path, string host, string? token) =>
        new(HeadOf(method, path, host, token, null), default, default, method != "HEAD");

    /// <summary>A block to store.</summary>
    public static LoadRequest Put(NumberedBlock block, string host, string? token) =>
        new(HeadOf("PUT", "/" + block.Hash, host, token, block.SizeBytes), block.Body, block.Tail, HasAnswerBody: true);

    /// <summary>A file to write.</summary>
    /// <param name="path">Escaped.</param>
    /// <param name="host">Of the server.</param>
    /// <param name="token">Sent as Bearer; null: none.</param>
    /// <param name="body">Shared with other requests.</param>
    /// <param name="tail">What makes it different from theirs.</param>
    public static LoadRequest PutFile(string path, string host, string? token, ReadOnlyMemory<byte> body, ReadOnlyMemory<byte> tail) =>
        new(HeadOf("PUT", path, host, token, body.Length + tail.Length), body, tail, HasAnswerBody: true);

    private static byte[] HeadOf(string method, string path, string host, string? token, long? length) => Encoding.ASCII.GetBytes(
        $"{method} {path} HTTP/1.1\r\nHost: {host}\r\n"
        + (token is null ? "" : $"Authorization: Bearer {token}\r\n")
        + (length is null ? "" : $"Content-Length: {length}\r\n")
        + "\r\n");
}
