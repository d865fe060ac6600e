using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using FunctionsBackup.Repository.Sealing;
using FunctionsBackup.Storage;

namespace FunctionsBackup.Repository.Collection;

/// <summary>Packs that no recovery point needed when the mark was made.</summary>
/// <param name="Packs">Names of packs.</param>
/// <param name="GraceSeconds">How long after the mark they stay, at least: longer than the longest backup.</param>
internal sealed record CollectionMark(IReadOnlyList<string> Packs, double GraceSeconds)
{
    /// <summary>
    /// Stands for a mark that cannot be read: it condemns nothing, since nobody can carry it out, and goes like a swept one in the end. Its
    /// packs are marked anew by the next collection.
    /// </summary>
    public static CollectionMark Unreadable { get; } = new([], TimeSpan.FromDays(30).TotalSeconds);
}

/// <summary>What became of a mark.</summary>
/// <param name="Kept">Packs of it that a recovery point needs after all; they are as good as any other again.</param>
internal sealed record SweepRecord(IReadOnlyList<string> Kept);

/// <summary>A mark as it lies in the store.</summary>
/// <param name="Name">Of the mark.</param>
/// <param name="MadeAt">By the store's clock.</param>
/// <param name="Mark">What it condemns.</param>
/// <param name="SweptAt">When it was carried out, by the store's clock; null: not yet.</param>
/// <param name="Sweep">What became of it, if it was carried out.</param>
internal sealed record StoredMark(string Name, DateTimeOffset MadeAt, CollectionMark Mark, DateTimeOffset? SweptAt, SweepRecord? Sweep)
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
    internal const string Prefix = "collect/";
    internal const string SweptSuffix = ".swept";

    private const string Probes = "probe/";

    private static readonly SweepRecord Unreadable = new([]);

    /// <summary>How long a swept mark stays after its grace time: no backup that is older may commit.</summary>
    public static TimeSpan KeepSwept { get; } = TimeSpan.FromDays(30);

    public async ValueTask<string> AddAsync(CollectionMark mark, CancellationToken cancellationToken)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"{Prefix}{Guid.CreateVersion7():N}-{Math.Floor(mark.GraceSeconds):0}");
        await sealedObjects.CreateAsync(
            SealedKind.CollectionMark, name, default, JsonSerializer.SerializeToUtf8Bytes(mark, CollectionJson.Default.CollectionMark),
            cancellationToken).ConfigureAwait(false);
        return name;
    }

    /// <summary>Says what becomes of a mark.</summary>
    /// <returns>The record that counts: this one, or that of who was first. Null: that one cannot be read or has gone.</returns>
    public async ValueTask<SweepRecord?> AddSweepAsync(string mark, SweepRecord sweep, CancellationToken cancellationToken)
    {
        var made = await sealedObjects.CreateAsync(
            SealedKind.CollectionMark, mark + SweptSuffix, default, JsonSerializer.SerializeToUtf8Bytes(sweep, CollectionJson.Default.SweepRecord),
            cancellationToken).ConfigureAwait(false);
        if (made) return sweep;
        var first = await ReadAsync(mark + SweptSuffix, CollectionJson.Default.SweepRecord, Unreadable, cancellationToken).ConfigureAwait(false);
        return ReferenceEquals(first, Unreadable) ? null : first;
    }

    public async ValueTask DeleteAsync(StoredMark mark, CancellationToken cancellationToken)
    {
        await store.DeleteAsync(mark.Name, cancellationToken).ConfigureAwait(false);
        await store.DeleteAsync(mark.Name + SweptSuffix, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Whether what marks say cannot be read: by a write-only writer, who sees that there are marks, since when, whether they were carried out,
    /// and their grace time, which is in their names.
    /// </summary>
    public bool IsBlind => sealedObjects.IsWriteOnly;

    /// <summary>The store's clock, by an object made for the purpose.</summary>
    public async ValueTask<DateTimeOffset> StoreTimeAsync(CancellationToken cancellationToken)
    {
        var name = Probes + Guid.NewGuid().ToString("N");
        await store.CreateAsync(name, "?"u8.ToArray(), cancellationToken).ConfigureAwait(false);
        var info = await store.FindAsync(name, cancellationToken).ConfigureAwait(false);
        await TryRemoveAsync(name, cancellationToken).ConfigureAwait(false);
        return info?.LastModified ?? throw new ObjectNotFoundException(name, store.Description);
    }

    /// <summary>Removes what identities that may not delete have left.</summary>
    public async ValueTask RemoveProbesAsync(DateTimeOffset now, TimeSpan after, CancellationToken cancellationToken)
    {
        await foreach (var info in store.ListAsync(Probes, cancellationToken).ConfigureAwait(false))
            if (now - info.LastModified > after) await store.DeleteAsync(info.Name, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>All marks. One that is damaged must not keep anybody from backing up or restoring; verification names it.</summary>
    public async IAsyncEnumerable<StoredMark> ListAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var all = await store.ListAsync(Prefix, cancellationToken).ToListAsync(cancellationToken).ConfigureAwait(false);
        var times = all.ToDictionary(i => i.Name, i => i.LastModified);
        foreach (var info in all)
        {
            if (info.Name.EndsWith(SweptSuffix, StringComparison.Ordinal)) continue;
            if (IsBlind)
            {
                DateTimeOffset? swept = times.TryGetValue(info.Name + SweptSuffix, out var when) ? when : null;
                yield return new StoredMark(
                    info.Name, info.LastModified, new CollectionMark([], GraceIn(info.Name)), swept, swept is null ? null : Unreadable);
                continue;
            }

            var mark = await ReadAsync(info.Name, CollectionJson.Default.CollectionMark, CollectionMark.Unreadable, cancellationToken).ConfigureAwait(false);
            if (mark is null) continue;
            if (!(mark.GraceSeconds >= 0 && mark.GraceSeconds < TimeSpan.FromDays(3650).TotalSeconds)) mark = CollectionMark.Unreadable;
            SweepRecord? sweep = null;
            var isSwept = times.TryGetValue(info.Name + SweptSuffix, out var sweptAt);
            if (isSwept)
            {
                // Unreadable: what it kept stays condemned and is marked anew. To carry the mark out again would need a new grace time.
                sweep = await ReadAsync(info.Name + SweptSuffix, CollectionJson.Default.SweepRecord, new SweepRecord([]), cancellationToken)
                    .ConfigureAwait(false);
            }

            yield return new StoredMark(info.Name, info.LastModified, mark, sweep is null ? null : sweptAt, sweep);
        }
    }

    /// <summary>Seconds; none for marks of before they were in the name: to the blind, those count as due at once.</summary>
    private static double GraceIn(string name) =>
        double.TryParse(name.AsSpan(name.LastIndexOf('-') + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) && name.Contains('-', StringComparison.Ordinal)
            ? Math.Min(seconds, TimeSpan.FromDays(3650).TotalSeconds) : 0;

    private async ValueTask TryRemoveAsync(string name, CancellationToken cancellationToken)
    {
        try
        {
            await store.DeleteAsync(name, cancellationToken).ConfigureAwait(false);
        }
        catch (StoreException) when (IsBlind)
        {
            return; // who only writes need not be allowed to delete: collection removes it
        }
    }

    /// <summary>Null: it is gone.</summary>
    private async ValueTask<T?> ReadAsync<T>(string name, JsonTypeInfo<T> type, T unreadable, CancellationToken cancellationToken)
        where T : class
    {
        try
        {
            var content = await sealedObjects.ReadAsync(SealedKind.CollectionMark, name, cancellationToken).ConfigureAwait(false);
            return content is null ? null : JsonSerializer.Deserialize(content.Body, type) ?? unreadable;
        }
        catch (Exception e) when (e is DamageException or JsonException)
        {
            return unreadable;
        }
    }
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(CollectionMark))]
[JsonSerializable(typeof(SweepRecord))]
internal sealed partial class CollectionJson : JsonSerializerContext;
