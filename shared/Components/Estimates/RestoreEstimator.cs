using System.Globalization;
using FunctionsBackup.Repository;

namespace FunctionsBackup.Components.Estimates;

/// <summary>
/// Says how long a restore will take: the careful rates of <see cref="RestoreRates"/>, corrected by restores that were measured on this
/// machine from this repository. The rates count as two restores, so that one lucky restore promises nothing; and no estimate is shorter
/// than the newest restore says, so that a machine that became slower is noticed at once.
/// </summary>
public sealed class RestoreEstimator
{
    private const double PriorWeight = 2;
    private const int Newest = 5;
    private const double Smallest = 0.1, Largest = 100;

    /// <param name="measured">Oldest first.</param>
    public RestoreEstimator(IReadOnlyList<RestoreMeasurement> measured)
    {
        var counted = measured.TakeLast(Newest).ToList();
        if (counted.Count == 0)
        {
            Factor = 1;
            Origin = "by careful rates; no restore has been measured on this machine yet";
            return;
        }

        var mean = (PriorWeight + counted.Sum(m => Math.Clamp(m.Factor, Smallest, Largest))) / (PriorWeight + counted.Count);
        Factor = Math.Max(mean, Math.Clamp(counted[^1].Factor, Smallest, Largest));
        var restores = counted.Count == 1 ? "one restore" : $"the last {counted.Count} restores";
        Origin = string.Create(
            CultureInfo.InvariantCulture, $"by careful rates and {restores} measured on this machine, the newest {counted[^1].At.UtcDateTime:yyyy-MM-dd}");
    }

    /// <summary>What the rates are multiplied by.</summary>
    public double Factor { get; }

    /// <summary>What estimates rest on, in words.</summary>
    public string Origin { get; }

    public static async ValueTask<RestoreEstimator> LoadAsync(BackupRepository repository, CancellationToken cancellationToken) =>
        new(await new RestoreMeasurements(repository).ListAsync(Environment.MachineName, cancellationToken).ConfigureAwait(false));

    /// <summary>Bringing files back; recovery of a database comes on top (<see cref="RestoreRates.Recovery"/>).</summary>
    public TimeSpan Files(long files, long bytes, long requests) => RestoreRates.Files(files, bytes, requests) * Factor;
}
