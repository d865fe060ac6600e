using FunctionsBackup.Repository.Contents;
using FunctionsBackup.Storage.Buckets;

namespace FunctionsBackup.Components.Files.Buckets;

/// <summary>The bytes of an object, by ranges, each as it was when it was listed or not at all.</summary>
internal sealed class BucketContentSource(IBucket bucket, BucketItem item, ProgressMeter meter) : IContentSource
{
    private long _position;

    /// <summary>Known after the first read.</summary>
    public BucketProperties Properties { get; private set; } = BucketProperties.None;

    public async ValueTask<ContentRun> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        if (_position >= item.Size && (item.Size > 0 || _position < 0)) return default;
        var (read, properties) = await bucket.ReadAsync(item, _position, buffer, cancellationToken).ConfigureAwait(false);
        if (_position == 0) Properties = properties;
        _position = item.Size == 0 ? -1 : _position + read;
        if (read == 0) return default;
        meter.AddBytes(read);
        return new ContentRun(read);
    }
}
