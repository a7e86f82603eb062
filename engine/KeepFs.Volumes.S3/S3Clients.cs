using Amazon;
using Amazon.Runtime;
using Amazon.S3;

namespace KeepFs.Volumes.S3;

/// <summary>Makes clients of S3 that behave the same with AWS and with others.</summary>
public static class S3Clients
{
    // Whoever asked us tries again too, so a few quick repetitions are enough.
    private const int MaxRepetitions = 2;

    // The SDK's 8 KiB cost a system call each.
    private const int BufferBytes = 1 << 17;

    /// <summary>A client for the options; it connects when it is first used. Safe for concurrent use.</summary>
    public static IAmazonS3 Create(S3ConnectionOptions options)
    {
        var config = new AmazonS3Config
        {
            ForcePathStyle = options.UsePathStyle,
            RetryMode = RequestRetryMode.Standard,
            MaxErrorRetry = MaxRepetitions,
            BufferSize = BufferBytes,
            HttpClientFactory = new ConnectionFactory(options.ConnectTimeout, options.ReadTimeout),

            // The checksums of newer AWS clients are unknown to other servers (Ceph answers 400); blocks carry their MD5 anyway.
            RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED,
            ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED,
        };
        if (options.Endpoint.Length > 0)
        {
            config.ServiceURL = options.Endpoint;
            config.AuthenticationRegion = options.Region;
        }
        else
        {
            config.RegionEndpoint = RegionEndpoint.GetBySystemName(options.Region);
        }

        return options.AccessKeyID.Length > 0
            ? new AmazonS3Client(new BasicAWSCredentials(options.AccessKeyID, options.SecretAccessKey), config)
            : new AmazonS3Client(config);
    }
}
