using System.Buffers;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Contents;

namespace FunctionsBackup.Components.Files.Restore;

/// <summary>Leaves out of a batch the chunks that the target has already, at the place where they belong.</summary>
internal sealed class DeltaFilter(RestoreContext context)
{
    private const int Share = 64;

    /// <summary>The requests that must be fetched. Those that need not be have arrived.</summary>
    internal async ValueTask<IReadOnlyList<ChunkRequest>> ApplyAsync(RestoreBatch batch, CancellationToken cancellationToken)
    {
        if (!batch.Files.Exists(file => file.Existing is not null)) return batch.Requests;
        var shares = (batch.Requests.Count + Share - 1) / Share;
        var needed = new List<ChunkRequest>?[shares];
        await Parallel.ForAsync(
            0, shares,
            new ParallelOptions
            {
                MaxDegreeOfParallelism = Math.Max(1, context.Options.Parallelism),
                CancellationToken = cancellationToken,
            },
            (share, _) =>
            {
                needed[share] = Compare(batch, share * Share);
                return ValueTask.CompletedTask;
            }).ConfigureAwait(false);
        return [.. needed.SelectMany(requests => requests!)];
    }

    private List<ChunkRequest> Compare(RestoreBatch batch, int from)
    {
        var needed = new List<ChunkRequest>();
        var buffer = ArrayPool<byte>.Shared.Rent(ContentLimits.MaximumChunkSize);
        try
        {
            foreach (var request in batch.Requests.Skip(from).Take(Share))
            {
                var file = batch.Files[request.Target];
                var bytes = buffer.AsSpan(0, request.Length);
                // What was sealed is named after what it was sealed to: the file that is there cannot be compared with it.
                if (file.Existing is null || file.Subject is not null || !IsThere(file, request, bytes))
                {
                    file.MarkDiffering();
                    needed.Add(request);
                    continue;
                }

                // A file with other names is not written in place; what it has in common goes into the new one.
                if (!file.InPlace) file.Write(request.Offset, bytes);
                context.Meter.AddBytes(request.Length);
                file.Arrived();
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        return needed;
    }

    private bool IsThere(RestoreFile file, ChunkRequest request, Span<byte> bytes) =>
        file.Existing is { } existing && existing.TryRead(bytes, request.Offset) && context.Repository.ComputeId(bytes) == request.Id;
}
