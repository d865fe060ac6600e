using Amazon.KeyManagementService.Model;
using Amazon.Runtime;

namespace FunctionsBackup.Repository.Kms;

/// <summary>Why KMS did not do what it was asked, with the mend: the rest of a sentence.</summary>
internal static class KmsErrors
{
    public static string Explain(Exception exception) => exception switch
    {
        DisabledException => "the key is disabled; enable it, or open the repository with another slot",
        KMSInvalidStateException => $"the key cannot be used as it is ({FirstLine(exception)}); cancel its deletion, or open the repository with another slot",
        NotFoundException => "there is no such key; correct keys.kms",
        InvalidCiphertextException or IncorrectKeyException => "the slot was made by another key, or for another repository or slot; put it back from a replica",
        KeyUnavailableException or DependencyTimeoutException => "the key cannot be used for the moment; try again later",
        AmazonServiceException { ErrorCode: "AccessDeniedException" } =>
            $"it was forbidden ({FirstLine(exception)}); allow kms:Encrypt and kms:Decrypt in the key's policy or the role's",
        AmazonServiceException { StatusCode: System.Net.HttpStatusCode.Forbidden or System.Net.HttpStatusCode.BadRequest } service =>
            $"it was refused ({service.ErrorCode}: {FirstLine(exception)}); look at the credentials, the region and the clock",
        AmazonServiceException { ErrorCode: { Length: > 0 } code } => $"{code} ({FirstLine(exception)}); try again later",
        OperationCanceledException => "KMS did not answer in time; look at the network",
        AmazonClientException when exception.InnerException is null =>
            $"{FirstLine(exception)}; give this machine a role, a profile or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
        _ => $"KMS does not answer ({FirstLine(Innermost(exception))}); look at the network",
    };

    /// <summary>Trouble of the network or the service.</summary>
    public static bool MayPass(Exception exception) => exception switch
    {
        KeyUnavailableException or DependencyTimeoutException or OperationCanceledException => true,
        AmazonServiceException { ErrorCode: "ThrottlingException" } => true,
        AmazonServiceException service => (int)service.StatusCode >= 500,
        _ => exception is not AmazonClientException { InnerException: null }, // no credentials
    };

    private static Exception Innermost(Exception exception)
    {
        while (exception.InnerException is { } inner) exception = inner;
        return exception;
    }

    private static string FirstLine(Exception exception)
    {
        var line = new string([.. exception.Message.Split('\n')[0].Trim().TrimEnd('.').Where(c => !char.IsControl(c))]);
        return line.Length <= 240 ? line : line[..240] + "…";
    }
}
