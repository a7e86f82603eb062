namespace KeepFs.Hosting.Configuration;

/// <summary>Drivers of volumes whose blocks are parts of objects of another store (keep-gateway.md 3).</summary>
public static class GatewayDriver
{
    /// <summary>A directory; parameters MappingsDir, Root, Prefix.</summary>
    public const string Directory = "DirectoryGateway";

    /// <summary>An S3 bucket; parameters MappingsDir, Prefix, and those of the driver S3.</summary>
    public const string S3 = "S3Gateway";
}
