using FunctionsBackup.Components.PostgreSql.Wal.Reading;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Sealing;

namespace FunctionsBackup.Components.PostgreSql.Wal;

/// <summary>A segment as it can be had now.</summary>
/// <param name="Bytes">Always the full size of a segment.</param>
/// <param name="Length">How many of them are archived; the rest are zeros.</param>
/// <param name="IsComplete">The whole segment is archived as one.</param>
public sealed record WalSegmentContent(byte[] Bytes, int Length, bool IsComplete);

public sealed partial class WalArchive
{
    /// <summary>
    /// A segment: complete, or put together from its parts, or from a <c>.partial</c> file if that reaches further; null: nothing of it.
    /// </summary>
    /// <exception cref="DamageException">What is archived is not what was written.</exception>
    public async ValueTask<WalSegmentContent?> FetchSegmentAsync(WalSegmentName name, CancellationToken cancellationToken)
    {
        if (await FetchCompleteAsync(name, cancellationToken) is { } complete)
            return new WalSegmentContent(complete, complete.Length, true);
        var parts = await FetchPartsAsync(name, cancellationToken);
        var partial = await _objects.ReadAsync(SealedKind.WalPart, _names.Partial(name), cancellationToken);
        if (partial is null) return parts;
        var reached = ValidLength(partial.Body, name, partial.Body.Length);
        return parts is not null && ValidLength(parts.Bytes, name, parts.Bytes.Length) >= reached
            ? parts
            : new WalSegmentContent(partial.Body, reached, false);
    }

    /// <summary>An unfinished segment put together from its parts, whether or not it is archived whole; null: there are none.</summary>
    internal async ValueTask<WalSegmentContent?> FetchPartsAsync(WalSegmentName name, CancellationToken cancellationToken)
    {
        var cover = await ListPartsAsync(name, cancellationToken);
        if (cover.Count == 0) return null;
        var pieces = new SealedContent[cover.Count];
        await Parallel.ForAsync(
            0, cover.Count, new ParallelOptions { MaxDegreeOfParallelism = 8, CancellationToken = cancellationToken }, async (i, token) =>
        {
            var objectName = _names.Part(name, cover[i].Begin, cover[i].End);
            var content = await _objects.ReadAsync(SealedKind.WalPart, objectName, token);
            if (content?.Body.Length != cover[i].End - cover[i].Begin)
                throw new DamageException(
                    objectName, $"Object {objectName} is missing or has not the bytes that its name says; repair the repository.");
            pieces[i] = content;
        });

        var size = WalPartFacts.FromJson(pieces[0].Header)?.SegmentSize ?? 0;
        if (!WalVersion.IsSegmentSize(size) || cover[^1].End > size)
            throw new DamageException(_names.Parts(name), $"The parts of WAL segment {name} do not fit a segment of {size} bytes.");
        var bytes = new byte[size];
        for (var i = 0; i < cover.Count; i++) pieces[i].Body.CopyTo(bytes, cover[i].Begin);
        return new WalSegmentContent(bytes, cover[^1].End, false);
    }

    /// <summary>The fewest parts that cover the segment from its start on as far as possible.</summary>
    private async ValueTask<List<(int Begin, int End)>> ListPartsAsync(WalSegmentName name, CancellationToken cancellationToken)
    {
        var all = new List<(int Begin, int End)>();
        await foreach (var item in _store.ListAsync(_names.Parts(name), cancellationToken))
            if (WalObjectNames.TryParsePart(item.Name, out _, out var begin, out var end)) all.Add((begin, end));
        return Cover(all);
    }

    /// <summary>The fewest ranges that cover 0.. without a hole as far as possible, in order.</summary>
    internal static List<(int Begin, int End)> Cover(List<(int Begin, int End)> parts)
    {
        parts.Sort();
        var cover = new List<(int Begin, int End)>();
        var reached = 0;
        for (var i = 0; i < parts.Count;)
        {
            (int Begin, int End)? best = null;
            for (; i < parts.Count && parts[i].Begin <= reached; i++)
                if (parts[i].End > reached && (best is null || parts[i].End > best.Value.End)) best = parts[i];
            if (best is not { } next) break;
            cover.Add(next);
            reached = next.End;
        }

        return cover;
    }

    private int ValidLength(byte[] bytes, WalSegmentName name, int segmentSize)
    {
        var stop = WalScan.Read(bytes, name, segmentSize, _system).Stop;
        return stop.IsComplete ? segmentSize : (int)Math.Clamp(stop.At.Value - name.Start(segmentSize).Value, 0UL, (ulong)segmentSize);
    }
}
