using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Subjects;

namespace FunctionsBackup.Components.Files.Restore;

/// <summary>Fetches and writes batches, one after the other; the next is planned meanwhile.</summary>
internal sealed class BatchExecutor(RestoreContext context)
{
    private readonly DeltaFilter _delta = new(context);
    private Task _running = Task.CompletedTask;

    /// <summary>Starts a batch when the one before is done.</summary>
    internal async Task StartAsync(RestoreBatch batch, CancellationToken cancellationToken)
    {
        await _running.ConfigureAwait(false);
        _running = Task.Run(() => ExecuteAsync(batch, cancellationToken), CancellationToken.None);
    }

    /// <summary>Waits for the batch that was started last.</summary>
    internal Task WaitAsync() => _running;

    private async Task ExecuteAsync(RestoreBatch batch, CancellationToken cancellationToken)
    {
        var requests = context.IsDelta ? await _delta.ApplyAsync(batch, cancellationToken).ConfigureAwait(false) : batch.Requests;
        if (requests.Count > 0)
        {
            await context.Repository.ReadChunksAsync(
                requests, Math.Max(1, context.Options.Parallelism), Sink, OnDamage, cancellationToken).ConfigureAwait(false);
        }

        await context.Writers.DrainAsync().ConfigureAwait(false);
        foreach (var file in batch.Completing) file.EndBatch();
        await LinkAsync(batch, cancellationToken).ConfigureAwait(false);
        foreach (var directory in batch.Left)
        {
            directory.Finish(context);
            directory.Dispose();
        }

        ValueTask Sink(ChunkRequest request, ReadOnlyMemory<byte> bytes, CancellationToken token)
        {
            context.Writers.ThrowIfFailed();
            var file = batch.Files[request.Target];
            if (file.Subject is { } key) Open(file, key, request, bytes);
            else file.Write(request.Offset, bytes.Span);
            context.Meter.AddBytes(request.Length);
            file.Arrived();
            return ValueTask.CompletedTask;
        }

        void Open(RestoreFile file, SubjectKey key, ChunkRequest request, ReadOnlyMemory<byte> stored)
        {
            try
            {
                context.Repository.OpenSealed(key, stored.Span, request.Length, plain => file.Write(request.Offset, plain.Span));
            }
            catch (DamageException)
            {
                file.MarkDamaged();
            }
        }

        void OnDamage(ChunkRequest request, DamageException damage)
        {
            var file = batch.Files[request.Target];
            file.MarkDamaged();
            file.Arrived();
        }
    }

    // A name that cannot be linked (another file system, too many names, the first one damaged) becomes a file of its own.
    private async Task LinkAsync(RestoreBatch batch, CancellationToken cancellationToken)
    {
        if (batch.Links.Count == 0) return;
        var planner = new FilePlanner(context, ExecuteAsync);
        foreach (var link in batch.Links)
            if (!LinkRestorer.TryLink(context, link))
                await planner.AddAsync(link.Directory, link.Name, link.Entry, cancellationToken).ConfigureAwait(false);
        await planner.SubmitAsync(cancellationToken).ConfigureAwait(false);
    }
}
