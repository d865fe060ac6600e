using FunctionsBackup.Repository.Indexing;
using FunctionsBackup.Repository.Packing;

namespace FunctionsBackup.Repository.Reading;

/// <summary>A request and where its chunk begins in its block's plaintext.</summary>
internal readonly record struct FetchPiece(ChunkRequest Request, int OffsetInBlock);

/// <summary>A block to decrypt, and what is wanted of it.</summary>
internal sealed record FetchBlock(IndexBlock Info, List<FetchPiece> Pieces);

/// <summary>One ranged read.</summary>
internal sealed record FetchRange(PackInfo Pack, uint Offset, int Length, List<FetchBlock> Blocks);

/// <summary>Turns requests for chunks into few ranged reads: sorted by place, short gaps read through (FIELD: latency, not bandwidth).</summary>
internal static class FetchPlan
{
    private const int MaximumGap = 1 << 20;
    private const int MaximumRange = 8 << 20;

    public static async ValueTask<List<FetchRange>> MakeAsync(
        ChunkIndex index, IReadOnlyList<ChunkRequest> requests, Action<ChunkRequest, DamageException>? onDamage, CancellationToken cancellationToken)
    {
        // In the order of ids, neighbouring lookups hit the same index page.
        var order = new int[requests.Count];
        for (var i = 0; i < order.Length; i++) order[i] = i;
        Array.Sort(order, (x, y) => requests[x].Id.CompareTo(requests[y].Id));
        var placed = new List<(string Pack, ChunkLocation Location, ChunkRequest Request)>(order.Length);
        ChunkLocation? location = null;
        ChunkId known = default;
        foreach (var i in order)
        {
            var request = requests[i];
            if (location is null || request.Id != known)
            {
                known = request.Id;
                location = await index.FindAsync(request.Id, cancellationToken).ConfigureAwait(false);
            }

            if (location is { } found && found.Length == request.PackedLength)
            {
                placed.Add((found.Pack.Name, found, request));
                continue;
            }

            var damage = Absent(request.Id, index);
            if (onDamage is null) throw damage;
            onDamage(request, damage);
        }

        placed.Sort(static (x, y) =>
        {
            var byPack = string.CompareOrdinal(x.Pack, y.Pack);
            if (byPack != 0) return byPack;
            var byBlock = x.Location.BlockInfo.Offset.CompareTo(y.Location.BlockInfo.Offset);
            return byBlock != 0 ? byBlock : x.Location.Offset.CompareTo(y.Location.Offset);
        });
        return Coalesce(placed);
    }

    private static DamageException Absent(ChunkId id, ChunkIndex index) => index.Damaged is [var damaged, ..]
        ? new DamageException(
            damaged.ObjectName,
            $"Chunk {id} is in no part of the index that can be read, and {damaged.ObjectName} is damaged; 'fbackup repository repair' builds it anew.")
        : new DamageException($"chunk {id}", $"Chunk {id} is not in the repository; run 'fbackup repository repair' to see what it touches.");

    private static List<FetchRange> Coalesce(List<(string Pack, ChunkLocation Location, ChunkRequest Request)> placed)
    {
        var ranges = new List<FetchRange>();
        FetchRange? range = null;
        foreach (var (pack, location, request) in placed)
        {
            var info = location.BlockInfo;
            var piece = new FetchPiece(request, location.Offset);
            if (range is not null && range.Pack.Name == pack && range.Blocks[^1].Info.Offset == info.Offset)
            {
                range.Blocks[^1].Pieces.Add(piece);
                continue;
            }

            var end = info.Offset + (long)info.StoredLength;
            if (range is null || range.Pack.Name != pack || info.Offset - (range.Offset + (long)range.Length) > MaximumGap
                || end - range.Offset > MaximumRange)
            {
                range = new FetchRange(location.Pack, info.Offset, info.StoredLength, []);
                ranges.Add(range);
            }
            else
            {
                range = range with { Length = (int)(end - range.Offset) };
                ranges[^1] = range;
            }

            range.Blocks.Add(new FetchBlock(info, [piece]));
        }

        return ranges;
    }
}
