using System.CommandLine;

namespace KeepFs.Cli.Verbs;

/// <summary><c>keepfs gateway</c>: collections of data that stays where it is.</summary>
internal static class GatewayCommand
{
    public static Command Create() => new("gateway", "Read existing folders and buckets through Keep, without copying them.")
    {
        GatewayPublishCommand.Create(),
        GatewayIndexCommand.Create(),
    };
}
