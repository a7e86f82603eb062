namespace KeepFs.WebDav.S3.Protocol;

/// <summary>A request that ends with one of S3's error documents; code and message go to the client.</summary>
internal sealed class S3Exception(int status, string code, string message) : Exception(message)
{
    public int Status => status;

    /// <summary>S3's name of the error, which programs look at.</summary>
    public string Code => code;
}
