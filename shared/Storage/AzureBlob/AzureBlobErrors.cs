using System.Globalization;
using System.Net;
using Azure;
using Azure.Identity;
using Azure.Storage.Blobs.Models;
using FunctionsBackup.Storage.Remote;

namespace FunctionsBackup.Storage.AzureBlob;

/// <summary>Turns what the service and the SDK say into the store's exceptions: one sentence on what is wrong, with the mend.</summary>
internal sealed class AzureBlobErrors(string container)
{
    /// <summary>The name is taken: 409 for a put, 412 where the condition is checked later.</summary>
    public static bool IsTaken(RequestFailedException error) => error.Status == (int)HttpStatusCode.PreconditionFailed
        || (error.Status == (int)HttpStatusCode.Conflict && error.ErrorCode == BlobErrorCode.BlobAlreadyExists);

    public static bool IsMissing(RequestFailedException error) =>
        error.Status == (int)HttpStatusCode.NotFound && error.ErrorCode != BlobErrorCode.ContainerNotFound;

    /// <summary>A policy or a hold protects the blob.</summary>
    public static bool IsLocked(RequestFailedException error) =>
        error.Status == (int)HttpStatusCode.Conflict && error.ErrorCode is "BlobImmutableDueToPolicy" or "BlobImmutableDueToLegalHold";

    public RequestFault Translate(Exception exception, string deed)
    {
        var cannot = $"Cannot {deed} in container {container}:";
        if (exception is RequestFailedException { Status: > 0 } service) return Translate(service, cannot);
        if (exception is AuthenticationFailedException)
            return new RequestFault(
                new StoreAccessException(
                    $"{cannot} no identity of this machine was accepted ({HttpFaults.FirstLine(exception)}); assign a managed identity, or "
                    + "set storage.account_key, storage.sas or storage.connection_string.",
                    exception),
                retry: false);
        if (HttpFaults.Translate(exception, cannot) is { } fault) return fault;
        return new RequestFault(new StoreException($"{cannot} {HttpFaults.FirstLine(exception)}.", exception), retry: false);
    }

    private static RequestFault Translate(RequestFailedException e, string cannot)
    {
        var status = (HttpStatusCode)e.Status;
        var said = $"{e.ErrorCode ?? "error"} ({e.Status})";
        if (e.ErrorCode == BlobErrorCode.ContainerNotFound || e.ErrorCode == BlobErrorCode.ContainerDisabled)
            return new RequestFault(
                new StoreUnavailableException($"{cannot} there is no such container; create it or correct storage.container.", e),
                retry: false);
        if (e.ErrorCode == BlobErrorCode.BlobArchived || e.ErrorCode == BlobErrorCode.BlobBeingRehydrated)
            return new RequestFault(
                new StoreException($"{cannot} the blob lies in the archive tier; rehydrate it to a readable tier first.", e), retry: false);
        // 409 of a container without support for versions; 501 of services that have no policies at all, which no repetition changes.
        if (status == HttpStatusCode.NotImplemented || e.ErrorCode?.Contains("Immutab", StringComparison.Ordinal) == true)
            return new RequestFault(
                new StoreException(
                    $"{cannot} the service does not do that ({said}); enable version-level immutability for the container, or remove "
                    + "storage.immutability.",
                    e),
                retry: false);
        if (status is HttpStatusCode.Forbidden or HttpStatusCode.Unauthorized)
            return new RequestFault(
                new StoreAccessException(
                    $"{cannot} permission is denied ({e.ErrorCode ?? "AuthorizationFailure"}); give this identity the roles in "
                    + "docs/storage.md, and look at this machine's clock and at the date a signature ends.",
                    e),
                retry: false);
        if (status == HttpStatusCode.InsufficientStorage)
            return new RequestFault(
                new StoreFullException($"{cannot} the account has no room left; raise its limit or prune the repository.", e),
                retry: false);
        // ContainerBeingDeleted and its like pass; a name that is leased or protected does not.
        var transient = HttpFaults.IsTransient(status) || e.ErrorCode == BlobErrorCode.ContainerBeingDeleted
            || e.ErrorCode == BlobErrorCode.OperationTimedOut || e.ErrorCode == BlobErrorCode.Md5Mismatch;
        return new RequestFault(
            new StoreException(
                transient ? $"{cannot} the service answered {said}; try again later, or with fewer storage.connections."
                    : $"{cannot} the service answered {said}: {HttpFaults.FirstLine(e)}.",
                e, transient),
            transient, RetryAfter(e));
    }

    private static TimeSpan? RetryAfter(RequestFailedException e) =>
        e.GetRawResponse() is { } response && response.Headers.TryGetValue("Retry-After", out var text)
        && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
            ? TimeSpan.FromSeconds(seconds)
            : null;
}
