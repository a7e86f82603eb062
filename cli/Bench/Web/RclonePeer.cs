using System.Globalization;

namespace KeepFs.Cli.Bench.Web;

/// <summary>rclone serve webdav on a folder.</summary>
internal sealed class RclonePeer(string folder) : FolderPeer(folder)
{
    public const string Title = "rclone serve webdav";

    public override string Name => Title;

    protected override string[] Command(int port) =>
    [
        Find(Title, "rclone", "/usr/bin/rclone", "/usr/local/bin/rclone"), "serve", "webdav", Served, "--copy-links", "--dir-cache-time", "1s",
        "--addr", "127.0.0.1:" + port.ToString(CultureInfo.InvariantCulture),
    ];
}
