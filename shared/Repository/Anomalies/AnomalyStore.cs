using System.Text.Json;
using FunctionsBackup.Repository.Sealing;
using FunctionsBackup.Repository.Snapshots;
using FunctionsBackup.Storage;

namespace FunctionsBackup.Repository.Anomalies;

/// <summary>
/// Which recovery points are suspicious, and what people decided: <c>anomalies/ID/found</c> and <c>anomalies/ID/decided-…</c>, each written
/// once. Of several decisions the last counts.
/// </summary>
public sealed class AnomalyStore(IObjectStore store, SealedObjects sealedObjects)
{
    private const string Prefix = "anomalies/", Found = "/found", Decided = "/decided-";

    /// <summary>Marks a recovery point. Doing it again changes nothing.</summary>
    public async ValueTask AddAsync(AnomalyRecord record, CancellationToken cancellationToken) => await sealedObjects.CreateAsync(
        SealedKind.Anomaly, Prefix + record.SnapshotId + Found, default,
        JsonSerializer.SerializeToUtf8Bytes(record, AnomalyJson.Default.AnomalyRecord), cancellationToken).ConfigureAwait(false);

    /// <summary>Notes a decision.</summary>
    /// <exception cref="RepositoryException">The recovery point is not suspicious.</exception>
    public async ValueTask DecideAsync(AnomalyDecision decision, CancellationToken cancellationToken)
    {
        if (await store.FindAsync(Prefix + decision.SnapshotId + Found, cancellationToken).ConfigureAwait(false) is null)
            throw new SnapshotNotFoundException($"Nothing about {decision.SnapshotId} is suspicious, so there is nothing to decide.");
        await sealedObjects.CreateAsync(
            SealedKind.AnomalyDecision, $"{Prefix}{decision.SnapshotId}{Decided}{Guid.CreateVersion7(decision.At):N}", default,
            JsonSerializer.SerializeToUtf8Bytes(decision, AnomalyJson.Default.AnomalyDecision), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>All that were ever marked, oldest first; optionally of one component.</summary>
    public async ValueTask<Suspicions> ListAsync(string? component, CancellationToken cancellationToken)
    {
        var names = await store.ListAsync(Prefix, cancellationToken).Select(i => i.Name).ToListAsync(cancellationToken).ConfigureAwait(false);
        var all = new List<Suspicion>();
        foreach (var name in names.Where(n => n.EndsWith(Found, StringComparison.Ordinal)))
        {
            var id = name[Prefix.Length..^Found.Length];
            if (SnapshotStore.ComponentOf(id) is not { } its || (component is not null && component != its)) continue;
            var record = await ReadAsync(SealedKind.Anomaly, name, AnomalyJson.Default.AnomalyRecord, cancellationToken).ConfigureAwait(false);
            AnomalyDecision? decision = null;
            foreach (var decided in names.Where(n => n.StartsWith(Prefix + id + Decided, StringComparison.Ordinal)))
                decision = await ReadAsync(SealedKind.AnomalyDecision, decided, AnomalyJson.Default.AnomalyDecision, cancellationToken)
                    .ConfigureAwait(false) ?? decision;
            all.Add(new Suspicion(id, record, decision));
        }

        return new Suspicions(all);
    }

    /// <summary>Null: it cannot be read. A mark that is damaged still marks; a decision that is damaged decides nothing.</summary>
    private async ValueTask<T?> ReadAsync<T>(
        SealedKind kind, string name, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type, CancellationToken cancellationToken)
        where T : class
    {
        try
        {
            var content = await sealedObjects.ReadAsync(kind, name, cancellationToken).ConfigureAwait(false);
            return content is null ? null : JsonSerializer.Deserialize(content.Body, type);
        }
        catch (Exception e) when (e is DamageException or JsonException)
        {
            return null;
        }
    }
}
