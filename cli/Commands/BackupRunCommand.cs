using System.CommandLine;
using System.Text.Json.Nodes;
using FunctionsBackup.Cli.Output;
using FunctionsBackup.Cli.Running;
using FunctionsBackup.Cli.Running.Work;
using FunctionsBackup.Components.Configuration.Diffs;
using FunctionsBackup.Orchestrations.Backup;
using FunctionsBackup.Orchestrations.Instances;
using FunctionsBackup.Orchestrations.Site;
using FunctionsBackup.Repository.Snapshots;

namespace FunctionsBackup.Cli.Commands;

/// <summary><c>backup run</c>: takes a recovery point of one component or of all that are configured, by the same orchestration as the
/// schedule. One that fails does not stop the others.</summary>
internal static class BackupRunCommand
{
    public static Command Create()
    {
        var type = new Option<string>("--type")
        {
            Description = "The component, or all that are configured.", HelpName = "postgres|voice_data|logs|configuration|all",
            DefaultValueFactory = _ => "all",
        };
        var full = new Option<bool>("--full") { Description = "Read everything, whatever earlier recovery points hold." };
        var verify = new Option<string>("--verify")
        {
            Description = "How the new recovery points are verified afterwards.", HelpName = "none|quick|sample:N|full",
            DefaultValueFactory = _ => "quick",
        };
        return new Command("run", "Take a recovery point now.") { type, full, verify, WorkOptions.OnInterrupt }.Does(
            async (context, cancellationToken) =>
        {
            var component = ComponentNames.Check(context.Get(type));
            foreach (var other in component is null ? context.Configuration.ConfiguredComponents.Except(ProtectedComponents.Available) : [])
                context.Printer.Warn($"{other} is configured, but its backup is not available in this version.");
            var request = new BackupRequest
            {
                Components = component is null ? [] : [component], Full = context.Get(full), Verify = context.Get(verify)!, RequestedBy = "cli",
            };
            context.Audit.Note("type", component ?? "all");
            context.Audit.Note("full", request.Full ? "true" : null);
            await using var host = await WorkHost.StartAsync(context, cancellationToken);
            var start = await BackupStart.StartAsync(context, host, request, cancellationToken);
            context.Audit.Instance = start.InstanceId;
            if (!start.Started) context.Printer.Note($"{start.InstanceId} is at it already; this is how it goes on.");
            var result = await WorkRun.FollowAsync<BackupResult>(context, host, start.InstanceId, component ?? "backup", cancellationToken);
            var code = await ReportAsync(context, start.InstanceId, result);
            // Here it would rest with this process; elsewhere a host goes on with it.
            if (result.ReplicationInstance is not { } replication || !host.WorksHere) return code;
            var replicated = await RepositoryReplicateCommand.FollowBackupAsync(context, host, replication, cancellationToken);
            return code == ExitCode.Done ? replicated : code;
        });
    }

    private static async Task<int> ReportAsync(CommandContext context, string instanceId, BackupResult result)
    {
        var taken = new List<Snapshot>();
        if (result.Components.Any(c => c.SnapshotId is not null) && !context.Site.IsWriteOnly)
        {
            await using var lease = await context.Site.Repositories.RentRecordsAsync(CancellationToken.None);
            foreach (var id in result.Components.Select(c => c.SnapshotId).OfType<string>())
                if (await lease.Repository.Snapshots.FindAsync(id, CancellationToken.None) is { } snapshot) taken.Add(snapshot);
        }

        foreach (var snapshot in taken)
        {
            foreach (var warning in snapshot.Warnings) context.Printer.Warn($"{snapshot.Component}: {warning}");
            context.Printer.Event("recovery_point", SnapshotView.ToJson(snapshot));
        }

        foreach (var component in result.Components)
        {
            if (component.NotCompared is { } why) context.Printer.Warn(why);
        }

        var failures = result.Components.Where(c => c.Failure is not null && c.Outcome == RunOutcome.Failed).ToList();
        var prefixed = result.Components.Count > 1;
        foreach (var failed in failures)
            context.Printer.Error(prefixed ? $"{failed.Component}: {failed.Failure!.Sentence}" : failed.Failure!.Sentence);
        foreach (var other in result.Components.Where(c => c.SupersededBy is not null))
            context.Printer.Warn($"{other.Component} is being backed up by {other.SupersededBy}.");
        foreach (var defect in result.Verification?.Defects ?? [])
            context.Printer.Warn($"{defect.ObjectName}: {defect.Problem} Mend: {defect.Mend}");
        if (result.Verification?.Failure is { } unverified) context.Printer.Warn($"It could not be verified: {unverified.Sentence}");
        if (result.Outcome == RunOutcome.Cancelled) context.Printer.Error(CommandFailures.Describe(new OperationCanceledException()));
        context.Printer.LongResult(() => ToJson(instanceId, result, taken), output =>
        {
            foreach (var snapshot in taken)
            {
                output.WriteLine(Sentence(snapshot));
                if (ConfigurationChanges.FromDetails(snapshot.Details) is { } changes) output.WriteLine($"configuration: {changes.Summary()}");
            }

            foreach (var component in result.Components.Where(c => c.SnapshotId is not null && taken.Count == 0)) output.WriteLine(Sentence(component));
        });
        return result.ExitCode;
    }

    private static string Sentence(Snapshot snapshot)
    {
        var statistics = snapshot.Statistics;
        return $"{snapshot.Id}  {snapshot.Kind}, {Human.Count(statistics.Files, "file", "files")}, {Human.Bytes(statistics.LogicalBytes)} protected, "
            + $"{Human.Bytes(statistics.ReadBytes)} read, {Human.Bytes(statistics.StoredBytes)} stored in {Human.Time(snapshot.CompletedAt - snapshot.StartedAt)}";
    }

    /// <summary>On a host that only writes, which cannot read the record.</summary>
    private static string Sentence(ComponentResult component) =>
        $"{component.SnapshotId}  {Human.Count(component.Files, "file", "files")}, {Human.Bytes(component.LogicalBytes)} protected, "
        + $"{Human.Bytes(component.ReadBytes)} read, {Human.Bytes(component.StoredBytes)} stored"
        + (component.Warnings > 0 ? $", {Human.Count(component.Warnings, "warning", "warnings")} in the record" : "");

    private static JsonObject ToJson(string instanceId, BackupResult result, List<Snapshot> taken) => new()
    {
        ["instance"] = instanceId,
        ["outcome"] = result.Outcome.ToString().ToLowerInvariant(),
        ["point"] = result.RecoveryPointId,
        ["recovery_points"] = new JsonArray([.. taken.Select(SnapshotView.ToJson)]),
        ["ids"] = new JsonArray([.. result.Components.Select(c => c.SnapshotId).OfType<string>().Select(id => JsonValue.Create(id))]),
        ["failures"] = new JsonArray(
            [.. result.Components.Where(c => c.Failure is not null).Select(c => new JsonObject
            {
                ["component"] = c.Component, ["error"] = c.Failure!.Sentence,
            })]),
        ["suspicious"] = new JsonArray([.. result.Components.Where(c => c.Anomalies.Count > 0).Select(c => new JsonObject
        {
            ["id"] = c.SnapshotId, ["reasons"] = new JsonArray([.. c.Anomalies.Select(a => JsonValue.Create(a))]),
        })]),
        ["verification"] = result.Verification is not { } verification ? null : new JsonObject
        {
            ["level"] = verification.Level, ["defects"] = verification.DefectCount, ["packs_read"] = verification.PacksRead,
        },
    };
}
