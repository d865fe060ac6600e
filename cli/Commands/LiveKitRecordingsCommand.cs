using System.CommandLine;
using System.Text.Json.Nodes;
using FunctionsBackup.Cli.Running;
using FunctionsBackup.Components.LiveKit.Reconciliation;
using FunctionsBackup.Orchestrations.Site;

namespace FunctionsBackup.Cli.Commands;

/// <summary><c>livekit recordings [ID]</c>: the egress catalogue of a recovery point against the newest recovery point of the recordings.</summary>
internal static class LiveKitRecordingsCommand
{
    public static Command Create()
    {
        var id = new Argument<string>("ID")
        {
            Description = "A recovery point of livekit, a unique beginning of its id, or latest.", DefaultValueFactory = _ => "latest",
        };
        return new Command("recordings", "Say which recordings of the egress catalogue the backup does not hold.") { id }.Does(async (context, cancellationToken) =>
        {
            var repository = await context.OpenRepositoryAsync(cancellationToken);
            var snapshot = await repository.GetSnapshotAsync(context.Get(id)!, "livekit", cancellationToken);
            var recordings = await EgressCatalogue.ReadAsync(repository, snapshot, cancellationToken);
            var report = await RecordingsCheck.RunAsync(repository, recordings, "voice_data", cancellationToken)
                ?? throw new UsageException("There is no recovery point of voice_data to compare with; run 'fbackup backup run --type voice_data'.");
            context.Printer.Result(() => ToJson(snapshot.Id, report), output => Write(snapshot.Id, report, output));
            return report.Missing + report.Different > 0 ? ExitCode.Warnings : ExitCode.Done;
        });
    }

    private static void Write(string snapshotId, RecordingsReport report, TextWriter output)
    {
        output.WriteLine($"egress          {snapshotId}: {Human.Count(report.Recordings, "recording", "recordings")}");
        output.WriteLine($"recordings      {report.SnapshotId}: {report.Recordings - report.Findings.Count} held");
        foreach (var finding in report.Findings)
            output.WriteLine($"{finding.Standing.ToString().ToLowerInvariant(),-15} {finding.Sentence(report.SnapshotId)}");
    }

    private static JsonObject ToJson(string snapshotId, RecordingsReport report) => new()
    {
        ["recovery_point"] = snapshotId,
        ["compared_with"] = report.SnapshotId,
        ["recordings"] = report.Recordings,
        ["held"] = report.Recordings - report.Findings.Count,
        ["missing"] = report.Missing,
        ["different"] = report.Different,
        ["pending"] = report.Pending,
        ["findings"] = new JsonArray([.. report.Findings.Select(f => new JsonObject
        {
            ["standing"] = f.Standing.ToString().ToLowerInvariant(),
            ["egress"] = f.Recording.EgressId,
            ["room"] = f.Recording.Room,
            ["file"] = f.Recording.FileName,
            ["location"] = f.Recording.Location,
            ["bytes"] = f.Recording.Size,
            ["held_bytes"] = f.HeldBytes,
            ["ended_at"] = Human.Iso(f.Recording.EndedAt),
        })]),
    };
}
