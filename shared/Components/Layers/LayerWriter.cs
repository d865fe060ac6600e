using System.Buffers;
using System.Buffers.Binary;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Contents;

namespace FunctionsBackup.Components.Layers;

/// <summary>
/// Writes one layer: its records and their fingerprints, each cut into chunks where the hash of a key says so, so that what did not change between two
/// keys is the same chunk again.
/// </summary>
internal sealed class LayerWriter(BackupSession session, ulong cutMask) : IDisposable
{
    /// <summary>A chunk of fingerprints ends where the hash has these bits clear: 48 KiB in the mean.</summary>
    private const ulong FingerprintMask = 0x7ff;

    private const int MaximumChunk = 1 << 20;

    private readonly ContentBuilder _records = session.BuildContent(), _fingerprints = session.BuildContent();
    private readonly byte[] _recordBuffer = ArrayPool<byte>.Shared.Rent(ContentLimits.MaximumChunkSize), _fingerprintBuffer = ArrayPool<byte>.Shared.Rent(MaximumChunk);
    private int _recordBytes, _fingerprintBytes;

    /// <summary>Bytes of records.</summary>
    public long Bytes { get; private set; }

    public long Records { get; private set; }

    public long Tombstones { get; private set; }

    public async ValueTask AddAsync(ulong hash, ReadOnlyMemory<byte> digest, ReadOnlyMemory<byte> record, CancellationToken cancellationToken)
    {
        await CutAsync(hash, 8 + record.Length, cancellationToken).ConfigureAwait(false);
        if (8 + record.Length > _recordBuffer.Length)
        {
            await AddLongAsync(hash, record, cancellationToken).ConfigureAwait(false);
        }
        else
        {
            BinaryPrimitives.WriteUInt64BigEndian(_recordBuffer.AsSpan(_recordBytes), hash);
            record.Span.CopyTo(_recordBuffer.AsSpan(_recordBytes + 8));
            _recordBytes += 8 + record.Length;
        }

        BinaryPrimitives.WriteUInt64BigEndian(_fingerprintBuffer.AsSpan(_fingerprintBytes), hash);
        digest.Span.CopyTo(_fingerprintBuffer.AsSpan(_fingerprintBytes + 8));
        _fingerprintBytes += Fingerprints.Size;
        Bytes += 8 + record.Length;
        Records++;
    }

    /// <summary>Says that the layers below have a key of this hash, and this one has none.</summary>
    public async ValueTask AddTombstoneAsync(ulong hash, CancellationToken cancellationToken)
    {
        await AddAsync(hash, new byte[LayerFormat.DigestSize], Tombstone, cancellationToken).ConfigureAwait(false);
        Records--;
        Tombstones++;
    }

    public async ValueTask<(ContentRef Records, ContentRef Fingerprints)> CompleteAsync(CancellationToken cancellationToken)
    {
        await FlushRecordsAsync(cancellationToken).ConfigureAwait(false);
        await FlushFingerprintsAsync(cancellationToken).ConfigureAwait(false);
        return (await _records.CompleteAsync(cancellationToken).ConfigureAwait(false), await _fingerprints.CompleteAsync(cancellationToken).ConfigureAwait(false));
    }

    public void Dispose()
    {
        ArrayPool<byte>.Shared.Return(_recordBuffer, clearArray: true);
        ArrayPool<byte>.Shared.Return(_fingerprintBuffer);
    }

    private static readonly byte[] Tombstone = [LayerFormat.Tombstone];

    private async ValueTask CutAsync(ulong hash, int size, CancellationToken cancellationToken)
    {
        if ((hash & cutMask) == 0 || _recordBytes + size > MaximumChunk) await FlushRecordsAsync(cancellationToken).ConfigureAwait(false);
        if ((hash & FingerprintMask) == 0 || _fingerprintBytes + Fingerprints.Size > MaximumChunk) await FlushFingerprintsAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>A record whose key alone is longer than a chunk.</summary>
    private async ValueTask AddLongAsync(ulong hash, ReadOnlyMemory<byte> record, CancellationToken cancellationToken)
    {
        await FlushRecordsAsync(cancellationToken).ConfigureAwait(false);
        BinaryPrimitives.WriteUInt64BigEndian(_recordBuffer, hash);
        _recordBytes = 8;
        while (!record.IsEmpty)
        {
            var length = Math.Min(record.Length, MaximumChunk - _recordBytes);
            record.Span[..length].CopyTo(_recordBuffer.AsSpan(_recordBytes));
            _recordBytes += length;
            record = record[length..];
            if (_recordBytes == MaximumChunk) await FlushRecordsAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private async ValueTask FlushRecordsAsync(CancellationToken cancellationToken)
    {
        await _records.AddChunkAsync(_recordBuffer.AsMemory(0, _recordBytes), cancellationToken).ConfigureAwait(false);
        _recordBytes = 0;
    }

    private async ValueTask FlushFingerprintsAsync(CancellationToken cancellationToken)
    {
        await _fingerprints.AddChunkAsync(_fingerprintBuffer.AsMemory(0, _fingerprintBytes), cancellationToken).ConfigureAwait(false);
        _fingerprintBytes = 0;
    }
}
