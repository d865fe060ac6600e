using System.Text.Json;
using FunctionsBackup.Repository.Collection;
using FunctionsBackup.Repository.Sealing;
using FunctionsBackup.Repository.Writers;
using FunctionsBackup.Storage;

namespace FunctionsBackup.Repository.Runs;

/// <summary>
/// Backups of many units in several processes with one commit at the end. A run begins with its plan; each unit stores its chunks, makes
/// them durable and findable, and then writes its part; the commit puts the parts together (<see cref="RunCommit"/>). All steps may be done
/// again: what was done is found.
/// </summary>
public sealed class BackupRuns(BackupRepository repository)
{
    internal const string Prefix = "parts/";
    internal const string PlanName = "plan";

    private readonly CollectionMarks _marks = new(repository.Store, repository.Sealed);

    /// <summary>
    /// Begins a run. <paramref name="plan"/> is called after the beginning was noted, since what it decides may rely on the repository; its
    /// result is kept for the units. A run that has begun already is given back as it is.
    /// </summary>
    /// <param name="runId">From <see cref="RunIds.Create"/>.</param>
    /// <param name="startedAt">When it began, by the caller's clock: before anything of the sources was looked at.</param>
    /// <param name="plan">Makes the plan, at most some megabytes.</param>
    /// <param name="cancellationToken">Stops.</param>
    public async ValueTask<RunPlan> BeginAsync(
        string runId, DateTimeOffset startedAt, Func<CancellationToken, ValueTask<byte[]>> plan, CancellationToken cancellationToken)
    {
        if (await FindAsync(runId, cancellationToken).ConfigureAwait(false) is { } begun) return begun;
        var token = await RunFence.BeginAsync(_marks, runId, startedAt, cancellationToken).ConfigureAwait(false);
        var run = new RunPlan(token, await plan(cancellationToken).ConfigureAwait(false));
        var header = JsonSerializer.SerializeToUtf8Bytes(token, RunJson.Default.RunToken);
        var name = RunIds.Prefix(runId) + PlanName;
        if (await repository.Sealed.CreateAsync(SealedKind.RunPart, name, header, run.Plan, cancellationToken).ConfigureAwait(false)) return run;
        return await FindAsync(runId, cancellationToken).ConfigureAwait(false) ?? throw Gone(runId);
    }

    /// <summary>A run that has begun and not ended, or null.</summary>
    /// <exception cref="DamageException">Its plan is damaged.</exception>
    public async ValueTask<RunPlan?> FindAsync(string runId, CancellationToken cancellationToken)
    {
        var name = RunIds.Prefix(runId) + PlanName;
        if (await ReadAsync(name, cancellationToken).ConfigureAwait(false) is not { } content) return null;
        try
        {
            if (JsonSerializer.Deserialize(content.Header, RunJson.Default.RunToken) is { } token && token.RunId == runId)
                return new RunPlan(token, content.Body);
        }
        catch (JsonException e)
        {
            throw new DamageException(name, $"{name} is damaged: {e.Message}", e);
        }

        throw new DamageException(name, $"{name} is damaged: it is the plan of another run.");
    }

    /// <summary>Takes part in a run. From here on this process relies on nothing that a collection has condemned.</summary>
    /// <exception cref="RepositoryException">The run has ended.</exception>
    public async ValueTask<RunUnit> JoinAsync(string runId, string unit, CancellationToken cancellationToken)
    {
        RunIds.Part(runId, unit);
        var run = await FindAsync(runId, cancellationToken).ConfigureAwait(false) ?? throw Gone(runId);
        await CondemnAsync(cancellationToken).ConfigureAwait(false);
        return new RunUnit(repository, run, unit);
    }

    /// <summary>What a unit stored, or null if it is not done.</summary>
    /// <exception cref="DamageException">The part is damaged.</exception>
    public async ValueTask<RunPart?> FindPartAsync(string runId, string unit, CancellationToken cancellationToken)
    {
        var name = RunIds.Part(runId, unit);
        if (await ReadAsync(name, cancellationToken).ConfigureAwait(false) is not { } content) return null;
        try
        {
            if (JsonSerializer.Deserialize(content.Body, RunJson.Default.RunPart) is { } part && part.RunId == runId && part.Unit == unit) return part;
        }
        catch (JsonException e)
        {
            throw new DamageException(name, $"{name} is damaged: {e.Message}", e);
        }

        throw new DamageException(name, $"{name} is damaged: it is the part of another unit.");
    }

    /// <summary>Removes what a run left: after its commit, or because it will have none. Chunks that nothing refers to are collected later.</summary>
    public async ValueTask RemoveAsync(string runId, CancellationToken cancellationToken)
    {
        try
        {
            // The plan first: nobody joins any more.
            var prefix = RunIds.Prefix(runId);
            await repository.Store.DeleteAsync(prefix + PlanName, cancellationToken).ConfigureAwait(false);
            var names = await repository.Store.ListAsync(prefix, cancellationToken).Select(i => i.Name).ToListAsync(cancellationToken)
                .ConfigureAwait(false);
            foreach (var name in names) await repository.Store.DeleteAsync(name, cancellationToken).ConfigureAwait(false);
        }
        catch (StoreAccessException) when (repository.IsWriteOnly)
        {
            return; // who only writes need not be allowed to delete: collection removes what is left
        }
    }

    /// <summary>An object of a run that those who made it and those who read it trust alike: holders of the keys, or one session of a writer.</summary>
    private async ValueTask<SealedContent?> ReadAsync(string name, CancellationToken cancellationToken)
    {
        SealedContent? content;
        try
        {
            content = await repository.Sealed.ReadAsync(SealedKind.RunPart, name, cancellationToken).ConfigureAwait(false);
        }
        catch (WriteOnlyException)
        {
            throw new RepositoryException(
                "The backup was begun by a process that has ended, and its key with it, as this host only writes; run the backup again.");
        }

        return content is null || repository.IsWriteOnly || repository.Sealed.WriterOf(content) is not { } writer
            ? content
            : throw new DamageException(name, $"{name} was made by the write-only writer {writer}, in the place of an object of this run; run the backup again.");
    }

    /// <summary>The repository may have been opened before the run began, when there were fewer marks.</summary>
    internal async ValueTask CondemnAsync(CancellationToken cancellationToken) => repository.Index.Condemn(
        await _marks.ListAsync(cancellationToken).SelectMany(m => m.Condemned).ToListAsync(cancellationToken).ConfigureAwait(false));

    /// <summary>Removes runs of which nothing was heard for some time, by the store's clock.</summary>
    internal async ValueTask<int> RemoveAbandonedAsync(DateTimeOffset now, TimeSpan after, CancellationToken cancellationToken)
    {
        var runs = new Dictionary<string, (DateTimeOffset Last, List<string> Names)>();
        await foreach (var info in repository.Store.ListAsync(Prefix, cancellationToken).ConfigureAwait(false))
        {
            var run = info.Name.Split('/')[1];
            var (last, names) = runs.GetValueOrDefault(run, (DateTimeOffset.MinValue, []));
            names.Add(info.Name);
            runs[run] = (info.LastModified > last ? info.LastModified : last, names);
        }

        var removed = 0;
        foreach (var (_, (last, names)) in runs.Where(r => now - r.Value.Last > after))
        {
            foreach (var name in names.OrderByDescending(n => n.EndsWith("/" + PlanName, StringComparison.Ordinal)))
                await repository.Store.DeleteAsync(name, cancellationToken).ConfigureAwait(false);
            removed++;
        }

        return removed;
    }

    /// <summary>Writes a unit's part: false if it is there already.</summary>
    internal static async ValueTask<bool> CreatePartAsync(BackupRepository repository, RunPart part, CancellationToken cancellationToken) =>
        await repository.Sealed.CreateAsync(
            SealedKind.RunPart, RunIds.Part(part.RunId, part.Unit), default, JsonSerializer.SerializeToUtf8Bytes(part, RunJson.Default.RunPart),
            cancellationToken).ConfigureAwait(false);

    internal static RepositoryException Gone(string runId) => new(
        $"Run {runId} has ended or was given up, so nothing more can be added to it; start the backup again.");
}
