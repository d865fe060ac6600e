using Amazon.Runtime;

namespace FunctionsBackup.Repository.Kms;

/// <summary>How a key is reached. Credentials are those of the SDK's own chain: variables, profiles, roles.</summary>
public sealed record KmsOptions(KmsKeyArn Key)
{
    /// <summary>Where KMS is, if not at the region's own address.</summary>
    public Uri? Endpoint { get; init; }

    /// <summary>Repetitions after a failure that may pass by itself.</summary>
    public int Retries { get; init; } = 3;

    /// <summary>Of each request.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>Null: the SDK's chain.</summary>
    internal AWSCredentials? Credentials { get; init; }
}
