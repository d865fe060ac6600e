using System.Text.Json;
using System.Text.Json.Serialization;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Sealing;
using FunctionsBackup.Storage;

namespace FunctionsBackup.Components.Estimates;

/// <summary>A restore as it went.</summary>
/// <param name="At">When it ended.</param>
/// <param name="Host">The machine that it ran on.</param>
/// <param name="Files">Files written.</param>
/// <param name="Bytes">Bytes written: holes are not.</param>
/// <param name="Seconds">Wall time, with all that was synced.</param>
public sealed record RestoreMeasurement(DateTimeOffset At, string Host, long Files, long Bytes, double Seconds)
{
    /// <summary>How much longer it took than <see cref="RestoreRates"/> say; less than 1: it was faster.</summary>
    [JsonIgnore]
    public double Factor => Seconds / RestoreRates.Files(Files, Bytes, 0).TotalSeconds;

    /// <summary>Whether it was large enough to tell anything: what is over in a moment measures the moment.</summary>
    internal bool IsTelling => Seconds > 0 && RestoreRates.Files(Files, Bytes, 0) >= TimeSpan.FromSeconds(1);
}

/// <summary>Restores measured on this machine from this repository: <c>measurements/…</c>, a few per machine.</summary>
public sealed class RestoreMeasurements(BackupRepository repository)
{
    private const string Prefix = "measurements/";

    /// <summary>Per host; two machines' at most as many again while both write.</summary>
    private const int Kept = 10;

    /// <summary>Notes a restore, if it was large enough to tell anything.</summary>
    public async ValueTask AddAsync(RestoreMeasurement measurement, CancellationToken cancellationToken)
    {
        if (!measurement.IsTelling) return;
        try
        {
            var body = JsonSerializer.SerializeToUtf8Bytes(measurement, MeasurementJson.Default.RestoreMeasurement);
            await repository.Sealed.CreateAsync(
                SealedKind.Measurement, Prefix + Guid.CreateVersion7(measurement.At).ToString("N"), default, body, cancellationToken).ConfigureAwait(false);
            var own = await ReadAsync(measurement.Host, cancellationToken).ConfigureAwait(false);
            foreach (var (name, _) in own.SkipLast(Kept)) await repository.Store.DeleteAsync(name, cancellationToken).ConfigureAwait(false);
        }
        catch (StoreException)
        {
            // The restore is done. Where the repository cannot be written to (a replica, an immutable bucket) there is only no note of it.
        }
    }

    /// <summary>Those of a machine, oldest first. One that cannot be read is passed over.</summary>
    public async ValueTask<IReadOnlyList<RestoreMeasurement>> ListAsync(string host, CancellationToken cancellationToken) =>
        [.. (await ReadAsync(host, cancellationToken).ConfigureAwait(false)).Select(m => m.Measurement)];

    private async ValueTask<List<(string Name, RestoreMeasurement Measurement)>> ReadAsync(string host, CancellationToken cancellationToken)
    {
        var found = new List<(string, RestoreMeasurement)>();
        await foreach (var info in repository.Store.ListAsync(Prefix, cancellationToken).ConfigureAwait(false))
        {
            try
            {
                var content = await repository.Sealed.ReadAsync(SealedKind.Measurement, info.Name, cancellationToken).ConfigureAwait(false);
                if (content is not null
                    && JsonSerializer.Deserialize(content.Body, MeasurementJson.Default.RestoreMeasurement) is { } measurement
                    && measurement.Host == host && measurement.IsTelling)
                    found.Add((info.Name, measurement));
            }
            catch (Exception e) when (e is DamageException or JsonException)
            {
                // Verification names it; an estimate can do without.
            }
        }

        return found;
    }
}

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(RestoreMeasurement))]
internal sealed partial class MeasurementJson : JsonSerializerContext;
