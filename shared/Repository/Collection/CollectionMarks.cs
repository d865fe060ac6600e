using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization;
using FunctionsBackup.Repository.Sealing;
using FunctionsBackup.Storage;

namespace FunctionsBackup.Repository.Collection;

/// <summary>Packs that no recovery point needed when the mark was made.</summary>
/// <param name="Packs">Names of packs.</param>
/// <param name="GraceSeconds">How long after the mark they stay, at least: longer than the longest backup.</param>
internal sealed record CollectionMark(IReadOnlyList<string> Packs, double GraceSeconds);

/// <summary>What became of a mark.</summary>
/// <param name="Kept">Packs of it that a recovery point needs after all; they are as good as any other again.</param>
internal sealed record SweepRecord(IReadOnlyList<string> Kept);

/// <summary>A mark as it lies in the store.</summary>
internal sealed record StoredMark(string Name, DateTimeOffset MadeAt, CollectionMark Mark, SweepRecord? Sweep)
{
    /// <summary>Packs that nothing new may refer to.</summary>
    public IEnumerable<string> Condemned => Sweep is null ? Mark.Packs : Mark.Packs.Except(Sweep.Kept);
}

/// <summary>
/// The marks of garbage collection: <c>collect/ID</c>, and <c>collect/ID.swept</c> when it is done. Swept marks stay for a month, so that
/// a backup that ran meanwhile can see them.
/// </summary>
internal sealed class CollectionMarks(IObjectStore store, SealedObjects sealedObjects)
{
    private const string Prefix = "collect/";
    private const string SweptSuffix = ".swept";

    public async ValueTask<string> AddAsync(CollectionMark mark, CancellationToken cancellationToken)
    {
        var name = Prefix + Guid.CreateVersion7().ToString("N");
        await sealedObjects.CreateAsync(
            SealedKind.CollectionMark, name, default, JsonSerializer.SerializeToUtf8Bytes(mark, CollectionJson.Default.CollectionMark),
            cancellationToken).ConfigureAwait(false);
        return name;
    }

    public async ValueTask AddSweepAsync(string mark, SweepRecord sweep, CancellationToken cancellationToken) =>
        await sealedObjects.CreateAsync(
            SealedKind.CollectionMark, mark + SweptSuffix, default, JsonSerializer.SerializeToUtf8Bytes(sweep, CollectionJson.Default.SweepRecord),
            cancellationToken).ConfigureAwait(false);

    public async ValueTask DeleteAsync(StoredMark mark, CancellationToken cancellationToken)
    {
        await store.DeleteAsync(mark.Name, cancellationToken).ConfigureAwait(false);
        await store.DeleteAsync(mark.Name + SweptSuffix, cancellationToken).ConfigureAwait(false);
    }

    /// <exception cref="DamageException">A mark is damaged: removing it is safe, its packs are marked again by the next prune.</exception>
    public async IAsyncEnumerable<StoredMark> ListAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var all = await store.ListAsync(Prefix, cancellationToken).ToListAsync(cancellationToken).ConfigureAwait(false);
        var names = all.Select(i => i.Name).ToHashSet();
        foreach (var info in all)
        {
            if (info.Name.EndsWith(SweptSuffix, StringComparison.Ordinal)) continue;
            var content = await sealedObjects.ReadAsync(SealedKind.CollectionMark, info.Name, cancellationToken).ConfigureAwait(false);
            if (content is null) continue;
            var mark = JsonSerializer.Deserialize(content.Body, CollectionJson.Default.CollectionMark)!;
            SweepRecord? sweep = null;
            if (names.Contains(info.Name + SweptSuffix)
                && await sealedObjects.ReadAsync(SealedKind.CollectionMark, info.Name + SweptSuffix, cancellationToken).ConfigureAwait(false) is { } swept)
                sweep = JsonSerializer.Deserialize(swept.Body, CollectionJson.Default.SweepRecord);
            yield return new StoredMark(info.Name, info.LastModified, mark, sweep);
        }
    }
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(CollectionMark))]
[JsonSerializable(typeof(SweepRecord))]
internal sealed partial class CollectionJson : JsonSerializerContext;
