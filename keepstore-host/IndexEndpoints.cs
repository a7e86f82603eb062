using System.Buffers;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Unicode;
using KeepFs.Engine.Blocks;
using KeepFs.Engine.Mounts;
using KeepFs.Engine.Volumes;
using Microsoft.AspNetCore.Http;

namespace KeepFs.KeepstoreHost;

/// <summary>The index of all mounts or of one, and the list of mounts (keepstore-http.md 8).</summary>
internal sealed class IndexEndpoints(Keepstore keepstore)
{
    private const int FlushBytes = 64 << 10;

    // 32 digits, '+', size, ' ', mtime, line feed.
    private const int MaxLineBytes = 96;

    /// <summary>
    /// Recognises <c>index[/prefix]</c> and <c>mounts/uuid/blocks[/prefix]</c>; a prefix in the query wins. False when the path is
    /// something else or the prefix is not hex.
    /// </summary>
    public static bool TryParse(string name, string? queryPrefix, out string? mountUuid, out string prefix)
    {
        mountUuid = null;
        var parts = name.Split('/');
        (var isIndex, mountUuid, prefix) = parts switch
        {
            ["index"] => (true, null, ""),
            ["index", var given] => (true, null, given),
            ["mounts", var uuid, "blocks"] => (true, uuid, ""),
            ["mounts", var uuid, "blocks", var given] => (true, uuid, given),
            _ => (false, null, ""),
        };
        prefix = string.IsNullOrEmpty(queryPrefix) ? prefix : queryPrefix;
        return isIndex && prefix.Length <= BlockHash.TextLength && prefix.All(char.IsAsciiHexDigitLower);
    }

    public async Task IndexAsync(HttpContext context, string? mountUuid, string prefix, CancellationToken cancellationToken)
    {
        var mounts = mountUuid is null ? keepstore.Mounts.All : keepstore.Mounts.Find(mountUuid) is { } mount ? [mount] : null;
        if (mounts is null)
        {
            await KeepstoreRouter.FailAsync(context, StatusCodes.Status404NotFound, "mount not found");
            return;
        }

        context.Response.ContentType = "text/plain; charset=utf-8";
        if (HttpMethods.IsHead(context.Request.Method))
        {
            return;
        }

        // The first line decides about the status; after that a failure can only break the connection, and the missing empty line
        // at the end tells the client to discard what it got.
        await using var entries = Keepstore.IndexAsync(mounts, prefix, cancellationToken).GetAsyncEnumerator(cancellationToken);
        var hasMore = await entries.MoveNextAsync();
        await context.Response.StartAsync(cancellationToken);
        var writer = context.Response.BodyWriter;
        while (hasMore)
        {
            writer.Advance(WriteLine(writer.GetSpan(MaxLineBytes), entries.Current));
            if (writer.UnflushedBytes >= FlushBytes && (await writer.FlushAsync(cancellationToken)).IsCompleted)
            {
                return; // The client is gone.
            }

            hasMore = await entries.MoveNextAsync();
        }

        writer.Write("\n"u8);
        await writer.FlushAsync(cancellationToken);
    }

    public Task MountsAsync(HttpContext context)
    {
        var records = keepstore.Mounts.All.Select(mount => new MountRecord(
            mount.Uuid,
            mount.Volume.DeviceId,
            mount.AllowWrite,
            mount.AllowTrash,
            mount.Replication,
            mount.StorageClasses.ToDictionary(name => name, _ => true))).ToArray();
        byte[] body = [.. JsonSerializer.SerializeToUtf8Bytes(records, KeepstoreJson.Default.MountRecordArray), (byte)'\n'];
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = body.Length;
        return HttpMethods.IsHead(context.Request.Method) ? Task.CompletedTask : context.Response.Body.WriteAsync(body, context.RequestAborted).AsTask();
    }

    private static int WriteLine(Span<byte> line, IndexEntry entry) =>
        Utf8.TryWrite(line, $"{entry.Hash}+{entry.SizeBytes} {entry.MtimeNanoseconds}\n", out var length)
            ? length
            : throw new InvalidOperationException("An index line is longer than any can be.");
}

/// <summary>One line of <c>/mounts</c>.</summary>
internal sealed record MountRecord(
    string Uuid, string DeviceId, bool AllowWrite, bool AllowTrash, int Replication, IReadOnlyDictionary<string, bool> StorageClasses);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(MountRecord[]))]
internal sealed partial class KeepstoreJson : JsonSerializerContext;
