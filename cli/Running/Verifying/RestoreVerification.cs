using System.Text.Json.Nodes;
using FunctionsBackup.Orchestrations.RestoreTesting;
using FunctionsBackup.Orchestrations.Site;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Snapshots;

namespace FunctionsBackup.Cli.Running.Verifying;

/// <summary>Verifies recovery points by restoring each into a scratch folder; of a database, by starting a server on it.</summary>
internal static class RestoreVerification
{
    public static async Task<int> RunAsync(
        CommandContext context, BackupRepository repository, IReadOnlyList<Snapshot> points, CancellationToken cancellationToken)
    {
        var outcomes = new List<SnapshotTestResult>();
        foreach (var point in points)
        {
            var progress = context.Printer.Progress($"restore {point.Id}");
            outcomes.Add(await SnapshotTest.RunAsync(context.Site, repository, point, context.Printer.Warn, progress, cancellationToken));
            context.Printer.EndProgress();
            context.Printer.Event("verified", ToJson(outcomes[^1]));
        }

        context.Printer.LongResult(
            () => new JsonObject { ["level"] = "restore", ["recovery_points"] = new JsonArray([.. outcomes.Select(ToJson)]) },
            output =>
            {
                foreach (var outcome in outcomes)
                {
                    var time = Human.Time(TimeSpan.FromSeconds(outcome.Seconds));
                    output.WriteLine($"{outcome.SnapshotId}  {(outcome.Passed ? "restores" : "DOES NOT RESTORE")}, {time}");
                    foreach (var line in outcome.Findings) output.WriteLine($"  {line}");
                }
            });
        return outcomes.TrueForAll(o => o.Passed) ? ExitCode.Done : ExitCode.Damage;
    }

    private static JsonObject ToJson(SnapshotTestResult outcome) => new()
    {
        ["id"] = outcome.SnapshotId,
        ["passed"] = outcome.Passed,
        ["seconds"] = outcome.Seconds,
        ["findings"] = new JsonArray([.. outcome.Findings.Select(l => JsonValue.Create(l))]),
    };
}
