using FunctionsBackup.Repository.Audit;
using FunctionsBackup.Repository.Crypto;
using FunctionsBackup.Repository.Keys;
using FunctionsBackup.Repository.Sealing;
using FunctionsBackup.Storage;
using FunctionsBackup.Storage.Locks;

namespace FunctionsBackup.Repository.Writers;

/// <summary>A writer as people see it.</summary>
/// <param name="Id">8 hex digits.</param>
/// <param name="Label">What people call it; null: its record is damaged.</param>
/// <param name="Created">When it was added.</param>
/// <param name="RemovedAt">When it was removed; null: it may write.</param>
/// <param name="Problem">What is wrong with its record; null: nothing.</param>
public sealed record WriterInfo(string Id, string? Label, DateTimeOffset? Created, DateTimeOffset? RemovedAt, string? Problem);

/// <summary>Lets write-only writers in, and out again. Needs the repository's keys.</summary>
public sealed class WriterAdministration(IObjectStore store, TimeProvider time)
{
    private const int Attempts = 20;

    /// <summary>Lets a writer in.</summary>
    /// <param name="credential">Opens the repository.</param>
    /// <param name="label">What people call it, 1 to 200 characters.</param>
    /// <param name="host">This machine, for the audit log.</param>
    /// <param name="cancellationToken">Stops before the writer is there.</param>
    /// <returns>What its host is to hold; it cannot be had again.</returns>
    public async ValueTask<WriterFile> AddAsync(KeyCredential credential, string label, string host, CancellationToken cancellationToken)
    {
        if (label.Length is 0 or > 200) throw new RepositoryException("A writer's label has 1 to 200 characters.");
        if (credential is KeyCredential.ClearCredential)
            throw new RepositoryException("The repository is not encrypted: whoever can read the store reads all of it, and a write-only writer would protect nothing.");
        var (config, master) = await OpenAsync(credential, cancellationToken).ConfigureAwait(false);
        using (master)
        {
            using var ring = await KeyRingFactory.LoadAsync(store, config, master, cancellationToken).ConfigureAwait(false);
            var scope = RepositoryScope.Of(config);
            using var pair = await WritersKey.FindOrCreateAsync(store, scope, master, time.GetUtcNow(), cancellationToken).ConfigureAwait(false);
            var signer = AuditSigner.Create();
            try
            {
                // Its chain is vouched for now, since only who holds the keys can.
                var chains = new AuditChains(store, new SealedObjects(store, ring, config.RepositoryId), ring, config.RepositoryId);
                await chains.IntroduceAsync(signer, host, time.GetUtcNow(), cancellationToken).ConfigureAwait(false);
                var number = await CreateAsync(ring, scope, label, signer.Writer, cancellationToken).ConfigureAwait(false);
                return WriterFile.Create(config, pair.Public, WriterSecrets.Derive(ring.WritersSecret, number), label, signer);
            }
            catch
            {
                signer.Dispose();
                throw;
            }
        }
    }

    /// <summary>All writers, in the order of their ids.</summary>
    public async ValueTask<IReadOnlyList<WriterInfo>> ListAsync(KeyCredential credential, CancellationToken cancellationToken)
    {
        var (config, master) = await OpenAsync(credential, cancellationToken).ConfigureAwait(false);
        using (master)
        {
            using var ring = await KeyRingFactory.LoadAsync(store, config, master, cancellationToken).ConfigureAwait(false);
            var writers = new List<WriterInfo>();
            var prefix = KeyObjects.Writers(config.KeyGeneration);
            await foreach (var info in store.ListAsync(prefix, cancellationToken).ConfigureAwait(false))
                if (WriterNumber.Parse(info.Name.AsSpan(prefix.Length)) is { } number)
                    writers.Add(await DescribeAsync(ring, RepositoryScope.Of(config), number, cancellationToken).ConfigureAwait(false));
            return writers;
        }
    }

    /// <summary>
    /// From now on nothing counts that is made with the writer's file; what it has made stays readable. Removing it again changes nothing.
    /// </summary>
    /// <returns>How many sessions it had when it was removed first.</returns>
    /// <exception cref="RepositoryException">There is no such writer.</exception>
    public async ValueTask<int> RemoveAsync(KeyCredential credential, string id, CancellationToken cancellationToken)
    {
        var (config, master) = await OpenAsync(credential, cancellationToken).ConfigureAwait(false);
        using (master)
        {
            using var ring = await KeyRingFactory.LoadAsync(store, config, master, cancellationToken).ConfigureAwait(false);
            var scope = RepositoryScope.Of(config);
            if (WriterNumber.Parse(id) is not { } writer
                || await store.FindAsync(KeyObjects.Writer(scope.KeyGeneration, writer), cancellationToken).ConfigureAwait(false) is null)
                throw new RepositoryException($"There is no writer {id}: 'fbackup repository keys writer list' shows them.");
            var sessions = await FindSessionsAsync(scope, writer, cancellationToken).ConfigureAwait(false);
            var record = WriterRemoval.Create(writer, time.GetUtcNow(), sessions, scope, ring.WritersSecret);
            if (record.Length > WriterRemoval.MaximumLength)
                throw new RepositoryException($"Writer {id} has {sessions.Count} sessions, more than a removal can name; it was not removed.");
            var name = KeyObjects.WriterRemoval(scope.KeyGeneration, writer);
            for (var attempt = 0; attempt < Attempts; attempt++)
            {
                if (await store.CreateAsync(name, record, cancellationToken).ConfigureAwait(false)) return sessions.Count;
                try
                {
                    if (await WriterRemoval.FindAsync(store, writer, scope, ring.WritersSecret, cancellationToken).ConfigureAwait(false) is { } earlier)
                        return earlier.Sessions;
                }
                catch (DamageException)
                {
                    // Whoever put that there did not hold the keys.
                    await store.DeleteOrHideAsync(name, cancellationToken).ConfigureAwait(false);
                }
            }

            throw new RepositoryException($"Writer {id} was not removed: somebody keeps putting something else in the place of {name}; find out who.");
        }
    }

    private async ValueTask<uint> CreateAsync(
        KeyRing ring, RepositoryScope scope, string label, string auditWriter, CancellationToken cancellationToken)
    {
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            var number = EpochKinds.NewWriter();
            var record = new WriterRecord(number, label, time.GetUtcNow(), auditWriter).ToJson(scope, ring.WritersSecret);
            if (await KeyObjects.CreateAsync(store, KeyObjects.Writer(scope.KeyGeneration, number), record, cancellationToken).ConfigureAwait(false))
                return number;
        }

        throw new RepositoryException($"No free number for a writer was found in {Attempts} attempts; try again.");
    }

    private async ValueTask<WriterInfo> DescribeAsync(KeyRing ring, RepositoryScope scope, uint number, CancellationToken cancellationToken)
    {
        var id = WriterNumber.Format(number);
        try
        {
            var bytes = await KeyObjects.ReadAsync(store, KeyObjects.Writer(scope.KeyGeneration, number), cancellationToken).ConfigureAwait(false);
            var record = WriterRecord.Parse(number, bytes ?? [], scope, ring.WritersSecret);
            var removed = await WriterRemoval.FindAsync(store, number, scope, ring.WritersSecret, cancellationToken).ConfigureAwait(false);
            return new WriterInfo(id, record.Label, record.Created, removed?.At, null);
        }
        catch (Exception e) when (e is InvalidDataException or DamageException)
        {
            return new WriterInfo(id, null, null, null, e.Message);
        }
    }

    /// <summary>Those that the writer has by their own word: whether it is true is seen when they are opened.</summary>
    private async ValueTask<List<uint>> FindSessionsAsync(RepositoryScope scope, uint writer, CancellationToken cancellationToken)
    {
        var found = new System.Collections.Concurrent.ConcurrentBag<uint>();
        var prefix = KeyObjects.Sessions(scope.KeyGeneration);
        await Parallel.ForEachAsync(
            store.ListAsync(prefix, cancellationToken), new ParallelOptions { MaxDegreeOfParallelism = 8, CancellationToken = cancellationToken },
            async (info, token) =>
            {
                if (WriterNumber.ParseSession(info.Name.AsSpan(prefix.Length)) is not { } session) return;
                if (await KeyObjects.ReadAsync(store, info.Name, token).ConfigureAwait(false) is not { } bytes) return;
                try
                {
                    if (SessionRecord.Parse(bytes).Writer == writer) found.Add(session);
                }
                catch (InvalidDataException)
                {
                    return; // damaged: it opens nothing, before or after
                }
            }).ConfigureAwait(false);
        return [.. found.Order()];
    }

    private async ValueTask<(RepositoryConfig Config, SecretBytes Master)> OpenAsync(KeyCredential credential, CancellationToken cancellationToken)
    {
        var config = await RepositoryConfig.LoadAsync(store, cancellationToken).ConfigureAwait(false);
        var slots = await KeySlotList.LoadAsync(store, config, cancellationToken).ConfigureAwait(false);
        return (config, (await slots.OpenAsync(credential, cancellationToken).ConfigureAwait(false)).MasterKey);
    }
}
