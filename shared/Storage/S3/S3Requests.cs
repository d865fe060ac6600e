using System.Security.Cryptography;
using Amazon.S3;
using Amazon.S3.Model;
using FunctionsBackup.Storage.Locks;
using FunctionsBackup.Storage.Remote;

namespace FunctionsBackup.Storage.S3;

/// <summary>Requests that write, with all that the configuration wants of new objects.</summary>
internal sealed class S3Requests(S3StoreOptions options)
{
    /// <summary>Metadata that tells whose create it was: <c>x-amz-meta-fbackup-writer</c>.</summary>
    public const string WriterKey = "fbackup-writer";

    private readonly List<Tag> _tags = [.. options.Tags.Select(t => new Tag { Key = t.Key, Value = t.Value })];

    public PutObjectRequest Put(string key, ReadOnlyMemory<byte> content, string writer, bool conditional, ObjectLock? locked = null)
    {
        var request = new PutObjectRequest
        {
            BucketName = options.Bucket,
            Key = key,
            InputStream = new ContentStream(content),
            AutoCloseStream = false,
            UseChunkEncoding = false, // the whole content is signed, which every server understands
            ChecksumCRC32C = Crc32C.Base64(content.Span),
            ContentType = "application/octet-stream",
            StorageClass = options.StorageClass is { } storageClass ? new S3StorageClass(storageClass) : null,
        };
        if (conditional) request.IfNoneMatch = "*";
        if (locked is not null)
        {
            request.ObjectLockMode = Mode(locked);
            request.ObjectLockRetainUntilDate = locked.Until.UtcDateTime;
#pragma warning disable CA5351 // no security rests on it: the service wants it with a lock, older ones no other checksum
            request.MD5Digest = Convert.ToBase64String(MD5.HashData(content.Span));
#pragma warning restore CA5351
        }

        if (_tags.Count > 0) request.TagSet = _tags;
        if (options.KmsKey is { } kms)
        {
            request.ServerSideEncryptionMethod = ServerSideEncryptionMethod.AWSKMS;
            request.ServerSideEncryptionKeyManagementServiceKeyId = kms;
        }

        request.Metadata[WriterKey] = writer;
        return request;
    }

    public InitiateMultipartUploadRequest Initiate(string key, string writer, ObjectLock? locked = null)
    {
        var request = new InitiateMultipartUploadRequest
        {
            BucketName = options.Bucket,
            Key = key,
            ContentType = "application/octet-stream",
            ChecksumAlgorithm = ChecksumAlgorithm.CRC32C,
            StorageClass = options.StorageClass is { } storageClass ? new S3StorageClass(storageClass) : null,
        };
        if (locked is not null)
        {
            request.ObjectLockMode = Mode(locked);
            request.ObjectLockRetainUntilDate = locked.Until.UtcDateTime;
        }

        if (_tags.Count > 0) request.TagSet = _tags;
        if (options.KmsKey is { } kms)
        {
            request.ServerSideEncryptionMethod = ServerSideEncryptionMethod.AWSKMS;
            request.ServerSideEncryptionKeyManagementServiceKeyId = kms;
        }

        request.Metadata[WriterKey] = writer;
        return request;
    }

    public UploadPartRequest Part(string key, string uploadId, int number, ReadOnlyMemory<byte> content) => new()
    {
        BucketName = options.Bucket,
        Key = key,
        UploadId = uploadId,
        PartNumber = number,
        PartSize = content.Length,
        InputStream = new ContentStream(content),
        UseChunkEncoding = false,
        ChecksumCRC32C = Crc32C.Base64(content.Span),
    };

    public CompleteMultipartUploadRequest Complete(string key, string uploadId, IReadOnlyList<PartETag> parts) => new()
    {
        BucketName = options.Bucket,
        Key = key,
        UploadId = uploadId,
        PartETags = [.. parts],
        IfNoneMatch = "*",
    };

    private static ObjectLockMode Mode(ObjectLock locked) =>
        locked.Mode == LockMode.Compliance ? ObjectLockMode.Compliance : ObjectLockMode.Governance;
}
