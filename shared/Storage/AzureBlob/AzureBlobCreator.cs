using System.Text;
using Azure;
using Azure.Storage;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;
using FunctionsBackup.Storage.Locks;
using FunctionsBackup.Storage.Remote;

namespace FunctionsBackup.Storage.AzureBlob;

/// <summary>
/// Creates blobs exactly once (<c>If-None-Match: *</c>). Each create carries a random mark in the blob's metadata; when a name turns out to
/// be taken, the mark tells whether an earlier attempt of the same create took it (its answer was lost, or it was delivered twice) or
/// somebody else did.
/// </summary>
internal sealed class AzureBlobCreator(BlobContainerClient container, AzureBlobStoreOptions options, RequestRunner runner, AzureBlobLocks locks)
{
    /// <summary>Metadata that tells whose create it was; its name must be a C# identifier.</summary>
    private const string WriterKey = "fbackup_writer";
    private const int Rounds = 4;

    /// <summary>True: created by this call, and locked if it is to be. False: there was one already.</summary>
    public async ValueTask<bool> CreateAsync(string name, string key, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        var wanted = locks.Of(name);
        var created = await CreateAsync(name, key, content, wanted, cancellationToken).ConfigureAwait(false);
        if (created && wanted is not null) await locks.ConfirmAsync(name, key, wanted, cancellationToken).ConfigureAwait(false);
        return created;
    }

    private async ValueTask<bool> CreateAsync(
        string name, string key, ReadOnlyMemory<byte> content, ObjectLock? wanted, CancellationToken cancellationToken)
    {
        var writer = Guid.NewGuid().ToString("N");
        var blob = container.GetBlockBlobClient(key);
        for (var round = 1; ; round++)
        {
            var created = content.Length > options.Limits.SinglePutLimit
                ? await BlocksAsync(name, blob, content, $"{writer}{round}", writer, wanted, cancellationToken).ConfigureAwait(false)
                : await PutAsync(name, blob, content, writer, wanted, cancellationToken).ConfigureAwait(false);
            if (created) return true;
            switch (await FindWriterAsync(name, blob, cancellationToken).ConfigureAwait(false))
            {
                case { } owner:
                    return owner == writer;
                case null when round == Rounds:
                    throw new StoreException(
                        $"Cannot create object {name} in container {options.Container}: the service says that it exists and that it does "
                        + "not; keep other programs from deleting blobs, and try again.",
                        transient: true);
            }
        }
    }

    private async ValueTask<bool> PutAsync(
        string name, BlockBlobClient blob, ReadOnlyMemory<byte> content, string writer, ObjectLock? wanted,
        CancellationToken cancellationToken) =>
        await runner.RunAsync(
            $"create object {name}", content.Length,
            async (_, token) =>
            {
                try
                {
                    var put = new BlobUploadOptions
                    {
                        Conditions = IfAbsent(),
                        Metadata = Metadata(writer),
                        Tags = Tags(),
                        AccessTier = Tier(),
                        ImmutabilityPolicy = AzureBlobLocks.Policy(wanted),
                        // One request: never more than was allowed for a single put.
                        TransferOptions = new() { InitialTransferSize = int.MaxValue, MaximumTransferSize = int.MaxValue },
                        HttpHeaders = new BlobHttpHeaders { ContentType = "application/octet-stream" },
                        TransferValidation = Checksum,
                    };
                    await blob.UploadAsync(new ContentStream(content), put, token).ConfigureAwait(false);
                    return true;
                }
                catch (RequestFailedException e) when (AzureBlobErrors.IsTaken(e))
                {
                    return false;
                }
            },
            cancellationToken).ConfigureAwait(false);

    private async ValueTask<bool> BlocksAsync(
        string name, BlockBlobClient blob, ReadOnlyMemory<byte> content, string mark, string writer, ObjectLock? wanted,
        CancellationToken cancellationToken)
    {
        var deed = $"create object {name}";
        var size = options.Limits.PartSize;
        // Ids of one length; those of other writers to the same name must differ.
        var ids = Enumerable.Range(0, (content.Length + size - 1) / size)
            .Select(i => Convert.ToBase64String(Encoding.ASCII.GetBytes($"{mark}-{i:d5}"))).ToArray();
        await Parallel.ForEachAsync(
            Enumerable.Range(0, ids.Length),
            new ParallelOptions { MaxDegreeOfParallelism = options.Limits.PartsAtOnce, CancellationToken = cancellationToken },
            async (i, token) =>
            {
                var part = content.Slice(i * size, Math.Min(size, content.Length - (i * size)));
                var stage = new BlockBlobStageBlockOptions { TransferValidation = Checksum };
                await runner.RunAsync(deed, part.Length, (_, t) => blob.StageBlockAsync(ids[i], new ContentStream(part), stage, t), token)
                    .ConfigureAwait(false);
            }).ConfigureAwait(false);
        return await runner.RunAsync(
            deed, 0,
            async (_, token) =>
            {
                try
                {
                    var commit = new CommitBlockListOptions
                    {
                        Conditions = IfAbsent(),
                        Metadata = Metadata(writer),
                        Tags = Tags(),
                        AccessTier = Tier(),
                        ImmutabilityPolicy = AzureBlobLocks.Policy(wanted),
                        HttpHeaders = new BlobHttpHeaders { ContentType = "application/octet-stream" },
                    };
                    await blob.CommitBlockListAsync(ids, commit, token).ConfigureAwait(false);
                    return true;
                }
                catch (RequestFailedException e) when (AzureBlobErrors.IsTaken(e) || e.ErrorCode == BlobErrorCode.InvalidBlockList)
                {
                    // A commit, ours or another writer's, discards the blocks that it does not name; the blob's mark tells whose it was.
                    return false;
                }
            },
            cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The mark of whoever created the blob, empty if it has none; null: there is no blob.</summary>
    private async ValueTask<string?> FindWriterAsync(string name, BlockBlobClient blob, CancellationToken cancellationToken) =>
        await runner.RunAsync(
            $"look at object {name}", 0,
            async (_, token) =>
            {
                try
                {
                    var found = await blob.GetPropertiesAsync(cancellationToken: token).ConfigureAwait(false);
                    return found.Value.Metadata.TryGetValue(WriterKey, out var writer) ? writer : "";
                }
                catch (RequestFailedException e) when (AzureBlobErrors.IsMissing(e))
                {
                    return null;
                }
            },
            cancellationToken).ConfigureAwait(false);

    private static BlobRequestConditions IfAbsent() => new() { IfNoneMatch = ETag.All };

    private static Dictionary<string, string> Metadata(string writer) => new() { [WriterKey] = writer };

    private Dictionary<string, string>? Tags() => options.Tags.Count > 0 ? new Dictionary<string, string>(options.Tags) : null;

    private AccessTier? Tier() => options.Tier switch
    {
        null => default(AccessTier?),
        "hot" => AccessTier.Hot,
        "cool" => AccessTier.Cool,
        "cold" => AccessTier.Cold,
        _ => throw new ArgumentException($"'{options.Tier}' is no tier for objects that must be readable at any time."),
    };

    /// <summary>The service compares it with what arrived.</summary>
    private static UploadTransferValidationOptions Checksum { get; } = new() { ChecksumAlgorithm = StorageChecksumAlgorithm.MD5 };
}
