using System.Text.Json;
using System.Text.Json.Serialization;
using FunctionsBackup.Repository.Sealing;
using FunctionsBackup.Storage;

namespace FunctionsBackup.Repository.Removals;

/// <summary>What somebody removed on purpose.</summary>
/// <param name="At">When, by the remover's clock.</param>
/// <param name="Names">Names of the objects: records of recovery points, pins, key slots.</param>
internal sealed record Removal(DateTimeOffset At, IReadOnlyList<string> Names);

/// <summary>
/// <c>removed/ID</c>: written before objects are removed whose absence would otherwise look the same as their loss. A replica removes
/// nothing of theirs without one, so that whatever befalls the primary, a replica does not follow (FORMAT.md §8).
/// </summary>
internal sealed class RemovalRecords(IObjectStore store, SealedObjects sealedObjects)
{
    public const string Prefix = "removed/";

    /// <summary>How long they stay: a replica that was not reached for longer keeps what was removed meanwhile.</summary>
    public static TimeSpan Keep { get; } = TimeSpan.FromDays(400);

    /// <summary>Says that these objects are about to be removed. Durable on return.</summary>
    public async ValueTask AddAsync(IReadOnlyList<string> names, TimeProvider time, CancellationToken cancellationToken)
    {
        if (names.Count == 0) return;
        var body = JsonSerializer.SerializeToUtf8Bytes(new Removal(time.GetUtcNow(), names), RemovalJson.Default.Removal);
        await sealedObjects.CreateAsync(
            SealedKind.Removal, Prefix + Guid.CreateVersion7(time.GetUtcNow()).ToString("N"), default, body, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>One record; null: it is gone.</summary>
    /// <exception cref="DamageException">It is not what was written.</exception>
    public async ValueTask<Removal?> FindAsync(string name, CancellationToken cancellationToken)
    {
        if (await sealedObjects.ReadAsync(SealedKind.Removal, name, cancellationToken).ConfigureAwait(false) is not { } content) return null;
        try
        {
            return JsonSerializer.Deserialize(content.Body, RemovalJson.Default.Removal);
        }
        catch (JsonException e)
        {
            throw new DamageException(name, $"{name} is damaged: {e.Message}", e);
        }
    }

    /// <summary>Names of all objects that were removed on purpose, as far as the records can be read.</summary>
    public async ValueTask<HashSet<string>> ListNamesAsync(CancellationToken cancellationToken)
    {
        var names = new HashSet<string>();
        await foreach (var info in store.ListAsync(Prefix, cancellationToken).ConfigureAwait(false))
        {
            try
            {
                if (await FindAsync(info.Name, cancellationToken).ConfigureAwait(false) is { } removal) names.UnionWith(removal.Names);
            }
            catch (DamageException)
            {
                continue; // verification names it; what it named counts as lost, which keeps it
            }
        }

        return names;
    }

    /// <summary>Removes records that are older than <see cref="Keep"/>.</summary>
    /// <param name="now">By the store's clock.</param>
    /// <param name="cancellationToken">Stops.</param>
    public async ValueTask TidyAsync(DateTimeOffset now, CancellationToken cancellationToken)
    {
        var old = await store.ListAsync(Prefix, cancellationToken).Where(i => now - i.LastModified > Keep).Select(i => i.Name)
            .ToListAsync(cancellationToken).ConfigureAwait(false);
        foreach (var name in old) await store.DeleteAsync(name, cancellationToken).ConfigureAwait(false);
    }
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(Removal))]
internal sealed partial class RemovalJson : JsonSerializerContext;
