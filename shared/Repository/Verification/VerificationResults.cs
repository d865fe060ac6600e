using System.Text.Json;
using System.Text.Json.Serialization;
using FunctionsBackup.Repository.Sealing;
using FunctionsBackup.Storage;

namespace FunctionsBackup.Repository.Verification;

/// <summary>When a pack was last read in full, and whether it was good.</summary>
public sealed record PackResult(string Pack, DateTimeOffset At, bool Good);

/// <summary>
/// Remembers per pack when it was last verified, so that the next run begins with the oldest. Each object holds the whole state; several
/// (from verifications side by side) are merged, the newest result of a pack counts.
/// </summary>
public sealed class VerificationResults(IObjectStore store, SealedObjects sealedObjects)
{
    private const string Prefix = "verify/";

    private IReadOnlyList<string> _read = [];

    /// <summary>The results by pack name. What cannot be read is passed over: its packs count as never verified.</summary>
    public async ValueTask<Dictionary<string, PackResult>> LoadAsync(CancellationToken cancellationToken)
    {
        var results = new Dictionary<string, PackResult>();
        var read = new List<string>();
        await foreach (var info in store.ListAsync(Prefix, cancellationToken).ConfigureAwait(false))
        {
            read.Add(info.Name);
            foreach (var result in await ReadAsync(info.Name, cancellationToken).ConfigureAwait(false))
                if (!results.TryGetValue(result.Pack, out var other) || other.At < result.At) results[result.Pack] = result;
        }

        _read = read;
        return results;
    }

    /// <summary>Replaces what <see cref="LoadAsync"/> read by this state.</summary>
    public async ValueTask SaveAsync(IReadOnlyCollection<PackResult> results, CancellationToken cancellationToken)
    {
        await sealedObjects.CreateAsync(
            SealedKind.VerificationResult, Prefix + Guid.CreateVersion7().ToString("N"), default,
            JsonSerializer.SerializeToUtf8Bytes(results, ResultsJson.Default.IReadOnlyCollectionPackResult), cancellationToken).ConfigureAwait(false);
        foreach (var name in _read) await store.DeleteAsync(name, cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask<IReadOnlyCollection<PackResult>> ReadAsync(string name, CancellationToken cancellationToken)
    {
        try
        {
            var content = await sealedObjects.ReadAsync(SealedKind.VerificationResult, name, cancellationToken).ConfigureAwait(false);
            return content is null ? [] : JsonSerializer.Deserialize(content.Body, ResultsJson.Default.IReadOnlyCollectionPackResult) ?? [];
        }
        catch (DamageException)
        {
            return [];
        }
    }
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(IReadOnlyCollection<PackResult>))]
internal sealed partial class ResultsJson : JsonSerializerContext;
