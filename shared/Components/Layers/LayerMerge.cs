using System.Buffers.Binary;
using System.Security.Cryptography;

namespace FunctionsBackup.Components.Layers;

/// <summary>
/// Goes through what is now, group by group in the order of their numbers, beside what was, and writes into a layer what differs. Not for concurrent use.
/// </summary>
/// <param name="writer">Of the new layer.</param>
/// <param name="before">What was; empty: all is new.</param>
internal sealed class LayerMerge(LayerWriter writer, Fingerprints before) : IDisposable
{
    private readonly List<UInt128> _now = [], _was = [];
    private readonly IncrementalHash _content = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    /// <summary>The next group.</summary>
    /// <param name="number">Greater than that of the one before.</param>
    /// <param name="items">Digests and records.</param>
    /// <param name="cancellationToken">Stops.</param>
    public async ValueTask AddAsync(
        ulong number, IReadOnlyList<(ReadOnlyMemory<byte> Digest, ReadOnlyMemory<byte> Record)> items, CancellationToken cancellationToken)
    {
        while (before.Next is { } gone && gone < number) await RemoveAsync(gone, cancellationToken).ConfigureAwait(false);
        _now.Clear();
        foreach (var (digest, _) in items) _now.Add(BinaryPrimitives.ReadUInt128BigEndian(digest.Span));
        _now.Sort();
        _was.Clear();
        if (before.Next == number) await before.TakeAsync(_was, cancellationToken).ConfigureAwait(false);
        Append(_content, number, _now);
        if (_now.SequenceEqual(_was)) return;
        foreach (var (digest, record) in items) await writer.AddAsync(number, digest, record, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>There is no more: what is left of what was is gone.</summary>
    /// <returns>The digest of all that is now.</returns>
    public async ValueTask<string> CompleteAsync(CancellationToken cancellationToken)
    {
        while (before.Next is { } last) await RemoveAsync(last, cancellationToken).ConfigureAwait(false);
        return Convert.ToHexStringLower(_content.GetHashAndReset());
    }

    public void Dispose() => _content.Dispose();

    /// <summary>The digest of the whole: of each group its number and the sorted digests of its records.</summary>
    internal static void Append(IncrementalHash content, ulong number, List<UInt128> digests)
    {
        Span<byte> bytes = stackalloc byte[24];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, number);
        foreach (var digest in digests)
        {
            BinaryPrimitives.WriteUInt128BigEndian(bytes[8..], digest);
            content.AppendData(bytes);
        }
    }

    private async ValueTask RemoveAsync(ulong number, CancellationToken cancellationToken)
    {
        await before.TakeAsync(_was, cancellationToken).ConfigureAwait(false);
        if (_was.Count > 0) await writer.AddTombstoneAsync(number, cancellationToken).ConfigureAwait(false);
    }
}
