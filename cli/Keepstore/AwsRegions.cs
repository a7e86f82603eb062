namespace KeepFs.Cli.Keepstore;

/// <summary>The regions that <c>-s3-region</c> takes without an endpoint; a region that came later is given with its endpoint.</summary>
internal static class AwsRegions
{
    public static readonly IReadOnlyList<string> All =
    [
        "ap-east-1", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-south-2", "ap-southeast-1", "ap-southeast-2", "ap-southeast-3",
        "ap-southeast-4", "ca-central-1", "ca-west-1", "cn-north-1", "cn-northwest-1", "eu-central-1", "eu-central-2", "eu-north-1", "eu-south-1", "eu-south-2", "eu-west-1",
        "eu-west-2", "eu-west-3", "il-central-1", "me-central-1", "me-south-1", "sa-east-1", "us-east-1", "us-east-2", "us-gov-east-1", "us-gov-west-1", "us-west-1", "us-west-2",
        "af-south-1",
    ];

    public static bool IsKnown(string region) => All.Contains(region);
}
