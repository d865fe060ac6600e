using System.Globalization;
using System.Net;
using Amazon.Runtime;
using Amazon.S3;
using FunctionsBackup.Storage.Remote;

namespace FunctionsBackup.Storage.S3;

/// <summary>Turns what the service and the SDK say into the store's exceptions: one sentence on what is wrong, with the mend.</summary>
internal sealed class S3Errors(string bucket)
{
    /// <summary>The name is taken, or (409) just being taken by somebody else.</summary>
    public static bool IsPreconditionFailed(AmazonS3Exception error) => error.StatusCode == HttpStatusCode.PreconditionFailed;

    public static bool IsMissing(AmazonS3Exception error) =>
        error.StatusCode == HttpStatusCode.NotFound && error.ErrorCode is not "NoSuchBucket";

    /// <summary>Whether an object cannot be locked because the bucket was not made for it; asked only where a lock was wanted.</summary>
    public static bool IsWithoutLocks(AmazonServiceException error) =>
        error.ErrorCode is "InvalidRequest" or "ObjectLockConfigurationNotFoundError";

    public RequestFault Translate(Exception exception, string deed)
    {
        var cannot = $"Cannot {deed} in bucket {bucket}:";
        // An answer whose body was cut on the way, also that of an error, whose code is then not known: the next attempt gets all of it.
        if (exception is AmazonUnmarshallingException)
            return new RequestFault(
                new StoreException($"{cannot} the answer cannot be read; look at the network and the service.", exception, transient: true),
                retry: true);
        if (exception is AmazonServiceException service && (int)service.StatusCode != 0)
            return IsOutOfStep(service, deed) ? OutOfStep(service, cannot) : Translate(service, cannot);
        if (HttpFaults.Translate(exception, cannot) is { } fault) return fault;
        if (exception is AmazonServiceException or AmazonClientException)
        {
            // Raised before anything was sent: no credentials, or what the SDK cannot make a request of.
            return new RequestFault(
                new StoreAccessException(
                    $"{cannot} {HttpFaults.FirstLine(exception)}; set storage.access_key and storage.secret_key, a profile, or a role of "
                    + "this machine.",
                    exception),
                retry: false);
        }

        return new RequestFault(new StoreException($"{cannot} {HttpFaults.FirstLine(exception)}.", exception), retry: false);
    }

    /// <summary>
    /// A 400 without the service's error document. RADOS Gateway may answer so when it refused the request before on the same connection
    /// and did not read its body, which it then takes for a request. Answers to HEAD never have a document, so they tell nothing.
    /// </summary>
    private static bool IsOutOfStep(AmazonServiceException e, string deed) =>
        e.StatusCode == HttpStatusCode.BadRequest && (e.ErrorCode is null or "BadRequest")
        && !deed.StartsWith("look at ", StringComparison.Ordinal);

    private static RequestFault OutOfStep(AmazonServiceException e, string cannot) => new(
        new StoreException(
            $"{cannot} the service took the request for a malformed one (400) and did not say why; look at the service, and at proxies before it.",
            e, transient: true),
        retry: true);

    private static RequestFault Translate(AmazonServiceException e, string cannot)
    {
        var said = $"{e.ErrorCode ?? "error"} ({(int)e.StatusCode})";
        if (e.ErrorCode == "NoSuchBucket")
            return new RequestFault(
                new StoreUnavailableException($"{cannot} there is no such bucket; create it or correct storage.bucket.", e), retry: false);
        if (e.ErrorCode is "RequestTimeTooSkewed" or "RequestExpired")
            return Refused("the clocks of this machine and of the service differ too much; set this machine's clock (NTP)");
        if (e.ErrorCode is "InvalidAccessKeyId" or "SignatureDoesNotMatch" or "ExpiredToken" or "InvalidToken" or "TokenRefreshRequired")
            return Refused("the credentials are not valid (any more); correct storage.access_key and storage.secret_key, or the role");
        if (e.ErrorCode is "QuotaExceeded" or "XMinioStorageFull" or "InsufficientCapacity"
            || e.StatusCode == HttpStatusCode.InsufficientStorage)
            return new RequestFault(
                new StoreFullException(
                    $"{cannot} the service has no room left, or the quota is used up; raise it or prune the repository.", e),
                retry: false);
        if (e.ErrorCode == "InvalidObjectState")
            return new RequestFault(
                new StoreException($"{cannot} the object lies in an archive class; restore it to a readable class first.", e), retry: false);
        if (e.StatusCode is HttpStatusCode.Moved or HttpStatusCode.TemporaryRedirect or HttpStatusCode.PermanentRedirect
            || e.ErrorCode is "AuthorizationHeaderMalformed" or "IllegalLocationConstraintException")
            return Refused("the bucket is in another region; correct storage.region or storage.endpoint");
        if (e.StatusCode is HttpStatusCode.Forbidden or HttpStatusCode.Unauthorized)
            return Refused($"permission is denied ({e.ErrorCode ?? "AccessDenied"}); give this identity the permissions in docs/storage.md");
        // 409: somebody else is creating or deleting the same name at this moment. OperationAborted and its like pass.
        var transient = HttpFaults.IsTransient(e.StatusCode) || e.StatusCode == HttpStatusCode.Conflict
            || e.ErrorCode is "InternalError" or "SlowDown" or "ServiceUnavailable" or "RequestTimeout" or "BadDigest"
                or "XAmzContentSHA256Mismatch" or "XAmzContentChecksumMismatch" or "IncompleteBody";
        return new RequestFault(
            new StoreException(
                transient ? $"{cannot} the service answered {said}; try again later, or with fewer storage.connections."
                    : $"{cannot} the service answered {said}: {HttpFaults.FirstLine(e)}.",
                e, transient),
            transient, RetryAfter(e));

        RequestFault Refused(string why) => new(new StoreAccessException($"{cannot} {why}.", e), retry: false);
    }

    private static TimeSpan? RetryAfter(AmazonServiceException e) =>
        e.InnerException is Amazon.Runtime.Internal.HttpErrorResponseException { Response: { } response }
        && response.IsHeaderPresent("Retry-After")
        && int.TryParse(response.GetHeaderValue("Retry-After"), NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
            ? TimeSpan.FromSeconds(seconds)
            : null;
}
