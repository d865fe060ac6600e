using System.Globalization;

namespace FunctionsBackup.Repository.Anomalies;

/// <summary>
/// Judges a backup by those before it. A pure function with robust statistics: medians and median absolute deviations, which single odd days
/// do not move. Each rule needs both an unusual distance and an absolute floor.
/// </summary>
public static class AnomalyRules
{
    /// <summary>A median absolute deviation of a normal distribution times this is its standard deviation.</summary>
    private const double Scale = 1.4826;

    /// <summary>Ratios of tiny backups are dominated by records and directories.</summary>
    private const long TellingBytes = 1 << 20;

    private const double UsualGap = 0.3, CompressionGap = 0.25, CompressionShare = 0.05;
    private const int BeforeShrinking = 2;

    /// <param name="current">The backup to judge.</param>
    /// <param name="earlier">Those before it that nobody doubts, oldest first.</param>
    /// <param name="thresholds">From when on.</param>
    /// <param name="acceptedStoredShare">A share that a person has accepted though it was unusual; null: none.</param>
    /// <returns>The reasons; empty: nothing unusual.</returns>
    public static IReadOnlyList<Anomaly> Judge(
        BackupFigures current, IReadOnlyList<BackupFigures> earlier, AnomalyThresholds thresholds, double? acceptedStoredShare = null)
    {
        var history = earlier.Skip(Math.Max(0, earlier.Count - thresholds.History)).ToList();
        var found = new List<Anomaly?>();
        if (history.Count >= Math.Max(1, thresholds.MinimumHistory))
        {
            found.Add(Changed(current, history, thresholds));
            found.Add(Deduplication(current, history, thresholds));
            found.Add(Compressibility(current, history, thresholds, acceptedStoredShare));
        }

        if (history.Count >= BeforeShrinking)
        {
            found.Add(Deletion(current, history, thresholds));
            found.Add(Shrinking(current, history, thresholds));
        }

        return [.. found.OfType<Anomaly>()];
    }

    private static Anomaly? Changed(BackupFigures current, List<BackupFigures> history, AnomalyThresholds thresholds)
    {
        var (median, deviation) = Spread(history.Select(h => (double)h.NewBytes));
        return current.NewBytes >= thresholds.MinimumBytes
            && current.NewShare >= thresholds.ChangedShare
            && current.NewBytes >= thresholds.ChangedFactor * median
            && current.NewBytes > median + thresholds.Deviations * deviation
                ? new Anomaly(
                    AnomalyKind.ChangedBytes,
                    $"{Bytes(current.NewBytes)} are new, {Percent(current.NewShare)} of all; usually it is {Bytes(median)}.", current.NewBytes, median)
                : null;
    }

    private static Anomaly? Deduplication(BackupFigures current, List<BackupFigures> history, AnomalyThresholds thresholds)
    {
        var (median, deviation) = Spread(history.Select(h => h.NewShare));
        return current.NewBytes >= thresholds.MinimumBytes
            && current.NewShare >= thresholds.NewShare
            && current.NewShare - median >= Math.Max(UsualGap, thresholds.Deviations * deviation)
                ? new Anomaly(
                    AnomalyKind.Deduplication,
                    $"Only {Percent(1 - current.NewShare)} was in the repository already; usually it is {Percent(1 - median)}.",
                    current.NewShare, median)
                : null;
    }

    private static Anomaly? Compressibility(
        BackupFigures current, List<BackupFigures> history, AnomalyThresholds thresholds, double? accepted)
    {
        var telling = history.Where(h => h.NewBytes >= Math.Min(TellingBytes, thresholds.MinimumBytes)).Select(h => h.StoredShare).ToList();
        if (telling.Count < Math.Max(1, thresholds.MinimumHistory)) return null;
        var (median, deviation) = Spread(telling);
        median = Math.Max(median, accepted ?? 0); // a new codec is accepted once, not every day
        return current.NewBytes >= thresholds.MinimumBytes
            && current.NewShare >= CompressionShare
            && current.StoredShare >= thresholds.StoredShare
            && current.StoredShare - median >= Math.Max(CompressionGap, thresholds.Deviations * deviation)
                ? new Anomaly(
                    AnomalyKind.Compressibility,
                    $"What is new compresses to {Percent(current.StoredShare)}; usually it is {Percent(median)}: as if it were encrypted.",
                    current.StoredShare, median)
                : null;
    }

    private static Anomaly? Deletion(BackupFigures current, List<BackupFigures> history, AnomalyThresholds thresholds)
    {
        var before = history[^1].Files;
        var gone = before - current.Files;
        var share = before > 0 ? (double)gone / before : 0;
        return gone >= thresholds.MinimumFiles && share >= thresholds.DeletedShare && share > UsualLoss(history, h => h.Files, thresholds)
            ? new Anomaly(
                AnomalyKind.MassDeletion, $"{Number(gone)} of {Number(before)} files are gone since the backup before.", current.Files, before)
            : null;
    }

    private static Anomaly? Shrinking(BackupFigures current, List<BackupFigures> history, AnomalyThresholds thresholds)
    {
        var before = history[^1].LogicalBytes;
        var gone = before - current.LogicalBytes;
        var share = before > 0 ? (double)gone / before : 0;
        // An empty source is as likely a mount that is missing; whether that is much does not matter.
        if (current.LogicalBytes == 0 && before > 0 && history[^1].Files > 1)
            return new Anomaly(AnomalyKind.Shrunk, $"The source is empty; before, it held {Bytes(before)}.", 0, before);
        return gone >= thresholds.MinimumBytes && share >= thresholds.ShrunkShare && share > UsualLoss(history, h => h.LogicalBytes, thresholds)
            ? new Anomaly(
                AnomalyKind.Shrunk, $"The source shrank from {Bytes(before)} to {Bytes(current.LogicalBytes)}.", current.LogicalBytes, before)
            : null;
    }

    /// <summary>What share usually goes from one backup to the next: where old files are cleared away in bulk, that is no anomaly.</summary>
    private static double UsualLoss(List<BackupFigures> history, Func<BackupFigures, long> of, AnomalyThresholds thresholds)
    {
        var losses = history.Zip(history.Skip(1), (a, b) => of(a) > 0 ? Math.Max(0, 1 - ((double)of(b) / of(a))) : 0).ToList();
        if (losses.Count == 0) return 0;
        var (median, deviation) = Spread(losses);
        return median + thresholds.Deviations * deviation;
    }

    private static (double Median, double Deviation) Spread(IEnumerable<double> values)
    {
        var all = values.ToList();
        var median = Median(all);
        return (median, Scale * Median([.. all.Select(v => Math.Abs(v - median))]));
    }

    private static double Median(List<double> values)
    {
        values.Sort();
        var middle = values.Count / 2;
        return values.Count % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
    }

    private static string Percent(double share) => string.Create(CultureInfo.InvariantCulture, $"{share * 100:0} %");

    private static string Number(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    private static string Bytes(double bytes) => bytes switch
    {
        >= 1L << 30 => string.Create(CultureInfo.InvariantCulture, $"{bytes / (1L << 30):0.0} GiB"),
        >= 1L << 20 => string.Create(CultureInfo.InvariantCulture, $"{bytes / (1L << 20):0.0} MiB"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1024:0} KiB"),
    };
}
