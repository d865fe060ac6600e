using System.Buffers.Binary;

namespace FunctionsBackup.Components.Layers;

/// <summary>
/// Goes through what is now, group by group in the order of their numbers, beside what was, and writes into a layer what differs. Not for concurrent use.
/// </summary>
/// <param name="writer">Of the new layer.</param>
/// <param name="before">What was; empty: all is new.</param>
internal sealed class LayerMerge(LayerWriter writer, Fingerprints before) : IDisposable
{
    private readonly List<UInt128> _now = [], _was = [];
    private readonly ContentDigest _content = new();

    /// <summary>The next group.</summary>
    /// <param name="number">Greater than that of the one before.</param>
    /// <param name="items">Digests and records.</param>
    /// <param name="cancellationToken">Stops.</param>
    public async ValueTask AddAsync(
        ulong number, IReadOnlyList<(ReadOnlyMemory<byte> Digest, ReadOnlyMemory<byte> Record)> items, CancellationToken cancellationToken)
    {
        while (before.Next is { } gone && gone < number) await RemoveAsync(gone, cancellationToken).ConfigureAwait(false);
        _now.Clear();
        foreach (var (digest, _) in items)
        {
            _now.Add(BinaryPrimitives.ReadUInt128BigEndian(digest.Span));
            _content.Add(number, digest.Span);
        }

        _now.Sort();
        _was.Clear();
        if (before.Next == number) await before.TakeAsync(_was, cancellationToken).ConfigureAwait(false);
        if (_now.SequenceEqual(_was)) return;
        foreach (var (digest, record) in items) await writer.AddAsync(number, digest, record, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>There is no more: what is left of what was is gone.</summary>
    /// <returns>The digest of all that is now.</returns>
    public async ValueTask<string> CompleteAsync(CancellationToken cancellationToken)
    {
        while (before.Next is { } last) await RemoveAsync(last, cancellationToken).ConfigureAwait(false);
        return _content.Complete();
    }

    public void Dispose() => _content.Dispose();

    private async ValueTask RemoveAsync(ulong number, CancellationToken cancellationToken)
    {
        await before.TakeAsync(_was, cancellationToken).ConfigureAwait(false);
        if (_was.Count > 0) await writer.AddTombstoneAsync(number, cancellationToken).ConfigureAwait(false);
    }
}
