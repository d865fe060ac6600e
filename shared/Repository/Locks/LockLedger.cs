using System.Text.Json;
using System.Text.Json.Serialization;
using FunctionsBackup.Repository.Sealing;
using FunctionsBackup.Storage;

namespace FunctionsBackup.Repository.Locks;

/// <summary>Objects whose locks end at the same time.</summary>
internal sealed record LockGroup(DateTimeOffset Until, IReadOnlyList<string> Names);

/// <summary>
/// What was seen of locks: when they end, by object (<c>locks/ID</c>). Saves asking the service for each object in every run; what is not
/// in it is asked for. Records add up; many are put together into one.
/// </summary>
internal sealed class LockLedger(IObjectStore store, SealedObjects sealedObjects)
{
    private const string Prefix = "locks/";
    private const int Many = 16;

    private List<string> _read = [];

    /// <summary>Ends of locks by object; <see cref="DateTimeOffset.MinValue"/>: it had none when it was looked at.</summary>
    public async ValueTask<Dictionary<string, DateTimeOffset>> LoadAsync(CancellationToken cancellationToken)
    {
        var ends = new Dictionary<string, DateTimeOffset>(StringComparer.Ordinal);
        var read = new List<string>();
        await foreach (var info in store.ListAsync(Prefix, cancellationToken).ConfigureAwait(false))
        {
            read.Add(info.Name);
            foreach (var group in await ReadAsync(info.Name, cancellationToken).ConfigureAwait(false))
                foreach (var name in group.Names)
                    if (!ends.TryGetValue(name, out var known) || known < group.Until) ends[name] = group.Until;
        }

        _read = read;
        return ends;
    }

    /// <summary>Adds what was learned.</summary>
    /// <param name="news">What is new or has changed.</param>
    /// <param name="all">All that is known of objects that are there: replaces the records if there are many.</param>
    /// <param name="cancellationToken">Stops; what was learned is asked for again.</param>
    public async ValueTask AddAsync(
        IReadOnlyDictionary<string, DateTimeOffset> news, IReadOnlyDictionary<string, DateTimeOffset> all, CancellationToken cancellationToken)
    {
        if (news.Count == 0) return;
        var replace = _read.Count >= Many;
        var groups = (replace ? all : news).GroupBy(e => e.Value, e => e.Key)
            .Select(g => new LockGroup(g.Key, [.. g.Order(StringComparer.Ordinal)])).OrderBy(g => g.Until).ToList();
        await sealedObjects.CreateAsync(
            SealedKind.LockRecord, Prefix + Guid.CreateVersion7().ToString("N"), default,
            JsonSerializer.SerializeToUtf8Bytes(groups, LockJson.Default.ListLockGroup), cancellationToken).ConfigureAwait(false);
        if (!replace) return;
        foreach (var name in _read) await store.DeleteAsync(name, cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask<IReadOnlyList<LockGroup>> ReadAsync(string name, CancellationToken cancellationToken)
    {
        try
        {
            var content = await sealedObjects.ReadAsync(SealedKind.LockRecord, name, cancellationToken).ConfigureAwait(false);
            return content is null ? [] : JsonSerializer.Deserialize(content.Body, LockJson.Default.ListLockGroup) ?? [];
        }
        catch (Exception e) when (e is DamageException or JsonException)
        {
            return []; // the service is asked instead
        }
    }
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(List<LockGroup>))]
internal sealed partial class LockJson : JsonSerializerContext;
