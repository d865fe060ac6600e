using System.Globalization;

namespace FunctionsBackup.Benchmarks.Compare.Reporting;

/// <summary>What the product aims at, as ratios to the peers on the same data in the same run.</summary>
public static class Aims
{
    public const string Product = "fbackup";

    private const long PeakAim = 256L << 20;

    private static readonly (string Scenario, string Step, double Ratio, string? Peer)[] Speeds =
    [
        ("files", "full", 3, "restic"),
        ("files", "nothing changed", 2, null),
        ("files", "1 % changed", 3, null),
        ("files", "restore", 1.5, null),
        ("database", "full", 1.5, "pgBackRest"),
        ("database", "nothing changed", 2, null),
        ("database", "1 % changed", 3, null),
        ("database", "restore", 1.5, null),
    ];

    /// <summary>One line per aim: what was aimed at, what came out, and whether it is met.</summary>
    public static IEnumerable<(string Aim, string Measured, bool Met)> Judge(Results results)
    {
        foreach (var (scenario, step, ratio, only) in Speeds)
        {
            if (results.Median(scenario, step, Product) is not { } own) continue;
            var peers = results.Contenders(scenario).Where(name => name != Product && (only is null || name == only))
                .Select(name => (Name: name, Wall: results.Median(scenario, step, name)?.Wall ?? double.NaN)).Where(peer => peer.Wall > 0).ToArray();
            if (peers.Length == 0) continue;
            var best = peers.MinBy(peer => peer.Wall);
            var reached = best.Wall / own.Wall;
            yield return (
                string.Create(CultureInfo.InvariantCulture, $"{scenario}, {step}: at least {ratio}× as fast as {only ?? "the best peer"}"),
                string.Create(CultureInfo.InvariantCulture, $"{reached:0.00}× {best.Name}"),
                reached >= ratio);
        }

        foreach (var scenario in results.Scenarios)
        {
            foreach (var step in results.Steps(scenario))
            {
                var peers = results.Contenders(scenario).Where(name => name != Product)
                    .Select(name => (Name: name, Bytes: results.Stored(scenario, step, name))).Where(peer => peer.Bytes is not null).ToArray();
                if (results.Stored(scenario, step, Product) is not { } own || peers.Length == 0) continue;
                var best = peers.MinBy(peer => peer.Bytes);
                yield return (
                    $"{scenario}, stored after {step}: no more than the best peer",
                    string.Create(CultureInfo.InvariantCulture, $"{own / 1e6:0} MB, {best.Name} {best.Bytes / 1e6:0} MB ({(double)own / best.Bytes!.Value:0.000})"),
                    own <= best.Bytes);
            }

            var peak = results.Steps(scenario).Select(step => (Step: step, results.Median(scenario, step, Product)?.PeakBytes))
                .Where(peak => peak.PeakBytes is not null).DefaultIfEmpty().MaxBy(peak => peak.PeakBytes);
            if (peak.PeakBytes is { } bytes)
                yield return ($"{scenario}, peak memory: at most 256 MB", $"{bytes >> 20} MB ({peak.Step})", bytes <= PeakAim);
        }
    }
}
