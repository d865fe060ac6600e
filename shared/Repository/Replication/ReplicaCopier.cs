using System.Collections.Concurrent;
using FunctionsBackup.Storage;

namespace FunctionsBackup.Repository.Replication;

/// <summary>
/// Copies objects as they are from one store to another, each checked before it is created there. What is damaged is noted and not copied.
/// </summary>
internal sealed class ReplicaCopier(
    IObjectStore from, IObjectStore to, ObjectCheck check, int parallelism, Action<string, long> copied)
{
    private readonly ConcurrentDictionary<string, string> _damaged = new(StringComparer.Ordinal);

    /// <summary>Objects that were found damaged, and why.</summary>
    public IReadOnlyList<BadObject> Damaged =>
        [.. _damaged.OrderBy(d => d.Key, StringComparer.Ordinal).Select(d => new BadObject(d.Key, d.Value))];

    /// <summary>Notes damage that was found elsewhere.</summary>
    public void Note(string name, string problem) => _damaged.TryAdd(name, problem);

    /// <summary>Several at once, in no order.</summary>
    public async ValueTask CopyAllAsync(IAsyncEnumerable<ObjectInfo> objects, CancellationToken cancellationToken) =>
        await Parallel.ForEachAsync(
            objects, new ParallelOptions { MaxDegreeOfParallelism = parallelism, CancellationToken = cancellationToken },
            async (info, token) =>
            {
                using var bytes = await FetchAsync(info, token).ConfigureAwait(false);
                if (bytes is not null) await StoreAsync(info.Name, bytes, token).ConfigureAwait(false);
            }).ConfigureAwait(false);

    /// <summary>Read several at once, created one after another, so that what is there is always the beginning of the order.</summary>
    /// <param name="objects">In the order in which they are to be there.</param>
    /// <param name="stored">Called after each was created.</param>
    /// <param name="cancellationToken">Stops.</param>
    public async ValueTask CopyInOrderAsync(
        IAsyncEnumerable<ObjectInfo> objects, Func<ObjectInfo, ValueTask>? stored, CancellationToken cancellationToken)
    {
        var reading = new Queue<(ObjectInfo Info, Task<ObjectBytes?> Bytes)>();
        try
        {
            await foreach (var info in objects.WithCancellation(cancellationToken).ConfigureAwait(false))
            {
                reading.Enqueue((info, FetchAsync(info, cancellationToken).AsTask()));
                if (reading.Count >= parallelism) await StoreFirstAsync().ConfigureAwait(false);
            }

            while (reading.Count > 0) await StoreFirstAsync().ConfigureAwait(false);
        }
        finally
        {
            foreach (var (_, bytes) in reading)
            {
                await ((Task)bytes).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                if (bytes.IsCompletedSuccessfully) (await bytes.ConfigureAwait(false))?.Dispose();
            }
        }

        async ValueTask StoreFirstAsync()
        {
            var (info, task) = reading.Dequeue();
            using var bytes = await task.ConfigureAwait(false);
            if (bytes is null) return;
            await StoreAsync(info.Name, bytes, cancellationToken).ConfigureAwait(false);
            if (stored is not null) await stored(info).ConfigureAwait(false);
        }
    }

    private async ValueTask<ObjectBytes?> FetchAsync(ObjectInfo info, CancellationToken cancellationToken)
    {
        ObjectBytes bytes;
        try
        {
            if (await ObjectBytes.ReadAsync(from, info.Name, info.Size, cancellationToken).ConfigureAwait(false) is not { } read) return null;
            bytes = read;
        }
        catch (StoreException e) when (ObjectBytes.IsDamage(e))
        {
            _damaged.TryAdd(info.Name, e.Message.TrimEnd('.'));
            return null;
        }

        try
        {
            if (await check.FindProblemAsync(info.Name, bytes.Memory, cancellationToken).ConfigureAwait(false) is not { } problem) return bytes;
            _damaged.TryAdd(info.Name, problem);
        }
        catch
        {
            bytes.Dispose();
            throw;
        }

        bytes.Dispose();
        return null;
    }

    private async ValueTask StoreAsync(string name, ObjectBytes bytes, CancellationToken cancellationToken)
    {
        // False: somebody else copied it meanwhile.
        if (await to.CreateAsync(name, bytes.Memory, cancellationToken).ConfigureAwait(false)) copied(name, bytes.Memory.Length);
    }
}
