using System.Text.Json;
using System.Text.Json.Serialization;
using FunctionsBackup.Repository.Sealing;
using FunctionsBackup.Storage;

namespace FunctionsBackup.Repository.Damage;

/// <summary>What repair found lost: written by repair, replaced by the next one.</summary>
/// <param name="At">When.</param>
/// <param name="LostPacks">Names of packs that are missing or unreadable, as far as known.</param>
/// <param name="Snapshots">The recovery points that cannot be restored as a whole.</param>
public sealed record DamageRecord(DateTimeOffset At, IReadOnlyList<string> LostPacks, IReadOnlyList<DamagedSnapshot> Snapshots);

/// <summary>A recovery point with losses.</summary>
/// <param name="Id">Which.</param>
/// <param name="LostFiles">How many files have lost bytes; -1 if the catalog itself is damaged.</param>
/// <param name="Examples">Some of their paths, for people.</param>
public sealed record DamagedSnapshot(string Id, int LostFiles, IReadOnlyList<string> Examples);

/// <summary>The damage records of a repository.</summary>
public sealed class DamageRecords(IObjectStore store, SealedObjects sealedObjects)
{
    private const string Prefix = "damage/";

    /// <summary>Whether anything is known to be lost, without reading the records.</summary>
    public static ValueTask<bool> AnyAsync(IObjectStore store, CancellationToken cancellationToken) =>
        store.ListAsync(Prefix, cancellationToken).AnyAsync(cancellationToken);

    /// <summary>What is known to be lost. A record that cannot be read is passed over: its presence alone says that repair must run.</summary>
    public async ValueTask<IReadOnlyList<DamageRecord>> ListAsync(CancellationToken cancellationToken)
    {
        var records = new List<DamageRecord>();
        await foreach (var info in store.ListAsync(Prefix, cancellationToken).ConfigureAwait(false))
        {
            try
            {
                var content = await sealedObjects.ReadAsync(SealedKind.DamageRecord, info.Name, cancellationToken).ConfigureAwait(false);
                if (content is not null && JsonSerializer.Deserialize(content.Body, DamageJson.Default.DamageRecord) is { } record) records.Add(record);
            }
            catch (DamageException e)
            {
                records.Add(new DamageRecord(info.LastModified, [e.ObjectName], []));
            }
        }

        return records;
    }

    /// <summary>Replaces all records by one; null: nothing is lost any more.</summary>
    public async ValueTask ReplaceAsync(DamageRecord? record, CancellationToken cancellationToken)
    {
        var old = await store.ListAsync(Prefix, cancellationToken).Select(i => i.Name).ToListAsync(cancellationToken).ConfigureAwait(false);
        if (record is not null)
            await sealedObjects.CreateAsync(
                SealedKind.DamageRecord, Prefix + Guid.NewGuid().ToString("N"), default,
                JsonSerializer.SerializeToUtf8Bytes(record, DamageJson.Default.DamageRecord), cancellationToken).ConfigureAwait(false);
        foreach (var name in old) await store.DeleteAsync(name, cancellationToken).ConfigureAwait(false);
    }
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(DamageRecord))]
internal sealed partial class DamageJson : JsonSerializerContext;
