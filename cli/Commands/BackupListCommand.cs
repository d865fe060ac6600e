using System.CommandLine;
using System.Text.Json.Nodes;
using FunctionsBackup.Cli.Output;
using FunctionsBackup.Cli.Running;
using FunctionsBackup.Orchestrations.Anomalies;
using FunctionsBackup.Orchestrations.Site;
using FunctionsBackup.Repository.Anomalies;
using FunctionsBackup.Repository.Snapshots;

namespace FunctionsBackup.Cli.Commands;

/// <summary><c>backup list</c>: the recovery points, oldest first.</summary>
internal static class BackupListCommand
{
    public static Command Create()
    {
        var type = ComponentNames.Option("Only the recovery points of this component.");
        return new Command("list", "List the recovery points, oldest first.") { type }.Does(async (context, cancellationToken) =>
        {
            var component = ComponentNames.Check(context.Get(type));
            var repository = await context.OpenRepositoryAsync(cancellationToken, index: false);
            var snapshots = new List<Snapshot>();
            await foreach (var snapshot in repository.ListSnapshotsAsync(component, cancellationToken)) snapshots.Add(snapshot);
            var suspicions = await CleanPoints.SuspicionsAsync(repository, component, cancellationToken);
            context.Printer.Result(
                () => new JsonObject { ["recovery_points"] = new JsonArray([.. snapshots.Select(s => SnapshotView.ToJson(s, suspicions))]) },
                output => Write(snapshots, suspicions, output, context.Printer));
            return await RepositoryWarnings.SayAsync(context, repository, component, cancellationToken) ? ExitCode.Warnings : ExitCode.Done;
        });
    }

    private static void Write(List<Snapshot> snapshots, Suspicions suspicions, TextWriter output, Printer printer)
    {
        if (snapshots.Count == 0)
        {
            printer.Note("There are no recovery points yet; take one with 'fbackup backup run'.");
            return;
        }

        var table = new Table("recovery point", "part of", "component", "kind", "completed", "files", "size", "stored", "warnings",
            "standing");
        foreach (var s in snapshots)
        {
            table.Add(
                s.Id, s.Point ?? "-", s.Component, s.Kind, Human.Moment(s.CompletedAt), $"{s.Statistics.Files:N0}", Human.Bytes(s.Statistics.LogicalBytes),
                Human.Bytes(s.Statistics.StoredBytes), s.Warnings.Count == 0 ? "" : $"{s.Warnings.Count}",
                SnapshotView.Words(suspicions.StandingOf(s)));
        }

        table.Write(output, printer.IsTerminal);
    }
}
