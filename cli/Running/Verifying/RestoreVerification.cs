using System.Text.Json.Nodes;
using FunctionsBackup.Cli.Running.Work;
using FunctionsBackup.Orchestrations.RestoreTesting;
using FunctionsBackup.Orchestrations.Site;

namespace FunctionsBackup.Cli.Running.Verifying;

/// <summary>Verifies recovery points by restoring each into a scratch folder; of a database, by starting a server on it.</summary>
internal static class RestoreVerification
{
    public static async Task<int> RunAsync(CommandContext context, WorkHost host, IReadOnlyList<string> ids, CancellationToken cancellationToken)
    {
        var request = new RestoreTestRequest { SnapshotIds = ids, RequestedBy = "cli" };
        var start = await new RestoreTestStarter(context.Site).StartAsync(host.Client, request, cancellationToken);
        context.Audit.Instance = start.InstanceId;
        if (!start.Started) context.Printer.Note($"{start.InstanceId} is at it already; this is what it comes to.");
        var result = await WorkRun.FollowAsync<RestoreTestResult>(context, host, start.InstanceId, "restore test", cancellationToken);
        foreach (var test in result.Tests)
        {
            context.Printer.Event("verified", ToJson(test));
            if (test.Failure is { } untested) context.Printer.Error($"{test.SnapshotId}: {untested.Sentence}");
        }

        if (result.Failure is { } failure) context.Printer.Error(failure.Sentence);
        context.Printer.LongResult(
            () => new JsonObject { ["level"] = "restore", ["recovery_points"] = new JsonArray([.. result.Tests.Select(ToJson)]) },
            output =>
            {
                foreach (var test in result.Tests)
                {
                    var time = Human.Time(TimeSpan.FromSeconds(test.Seconds));
                    output.WriteLine($"{test.SnapshotId}  {(test.Passed ? "restores" : "DOES NOT RESTORE")}, {time}");
                    foreach (var line in test.Findings) output.WriteLine($"  {line}");
                }
            });
        return result.ExitCode;
    }

    private static JsonObject ToJson(SnapshotTestResult test) => new()
    {
        ["id"] = test.SnapshotId,
        ["passed"] = test.Passed,
        ["seconds"] = test.Seconds,
        ["findings"] = new JsonArray([.. test.Findings.Select(l => JsonValue.Create(l))]),
    };
}
