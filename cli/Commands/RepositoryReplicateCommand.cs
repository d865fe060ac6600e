using System.CommandLine;
using System.Text.Json.Nodes;
using FunctionsBackup.Cli.Output;
using FunctionsBackup.Cli.Running;
using FunctionsBackup.Cli.Running.Work;
using FunctionsBackup.Orchestrations.Instances;
using FunctionsBackup.Orchestrations.Replication;
using FunctionsBackup.Orchestrations.Site;

namespace FunctionsBackup.Cli.Commands;

/// <summary>
/// <c>repository replicate [NAME]</c>: brings replicas up to the repository, by the same orchestration as after backups. Exit code 5 when
/// something of the repository is damaged and was not copied, 3 when somebody should look.
/// </summary>
internal static class RepositoryReplicateCommand
{
    public static Command Create()
    {
        var name = new Argument<string?>("NAME") { Description = "The replica (default: all that are configured).", DefaultValueFactory = _ => null };
        var create = new Option<bool>("--create") { Description = "Begin a replica in a folder that holds none yet; makes the folder." };
        return new Command("replicate", "Copy to the replicas what they lack.") { name, create, WorkOptions.OnInterrupt }.Does(
            async (context, cancellationToken) =>
        {
            var asked = context.Arguments.GetValue(name);
            var request = new ReplicationRequest { Replicas = asked is null ? [] : [asked], Create = context.Get(create), RequestedBy = "cli" };
            await using var host = await WorkHost.StartAsync(context, cancellationToken);
            var start = await new ReplicationStarter(context.Site).StartAsync(host.Client, request, cancellationToken);
            if (!start.Started) context.Printer.Note($"{start.InstanceId} is at it already; this is how it goes on.");
            return await FollowAsync(context, host, start.InstanceId, cancellationToken);
        });
    }

    /// <summary>Stays with the replication that a backup started, and says what was not as it should be.</summary>
    /// <returns>0, or 3 when somebody should look: the backup itself is done.</returns>
    public static async Task<int> FollowBackupAsync(CommandContext context, WorkHost host, string instanceId, CancellationToken cancellationToken)
    {
        var result = await WorkRun.FollowAsync<ReplicationResult>(context, host, instanceId, "replicate", cancellationToken);
        foreach (var replica in result.Replicas.Where(r => r.Failure is not null))
            context.Printer.Warn($"Replica {replica.Replica}: {replica.Failure!.Sentence}");
        Complain(context.Printer, result with { Replicas = [.. result.Replicas.Where(r => r.Failure is null)] });
        return result.ExitCode == 0 ? ExitCode.Done : ExitCode.Warnings;
    }

    private static async Task<int> FollowAsync(CommandContext context, WorkHost host, string instanceId, CancellationToken cancellationToken)
    {
        var result = await WorkRun.FollowAsync<ReplicationResult>(context, host, instanceId, "replicate", cancellationToken);
        Complain(context.Printer, result);
        context.Printer.LongResult(() => ToJson(instanceId, result), output =>
        {
            foreach (var replica in result.Replicas.Where(r => r.Failure is null))
            {
                output.WriteLine(
                    $"{replica.Replica}: {Human.Count(replica.CopiedObjects, "object", "objects")} ({Human.Bytes(replica.CopiedBytes)}) copied, "
                    + $"{replica.RemovedObjects:N0} removed, in {Human.Time(TimeSpan.FromSeconds(replica.Seconds))}; "
                    + (replica.MissingObjects == 0 ? "it has all that the repository has."
                        : $"it lacks {Human.Count(replica.MissingObjects, "object", "objects")} ({Human.Bytes(replica.MissingBytes)})."));
            }
        });
        return result.Outcome == RunOutcome.Cancelled ? ExitCode.Interrupted : result.ExitCode;
    }

    /// <summary>Says what is not as it should be.</summary>
    private static void Complain(Printer printer, ReplicationResult result)
    {
        foreach (var replica in result.Replicas)
        {
            if (replica.Failure is { } failure) printer.Error($"Replica {replica.Replica}: {failure.Sentence}");
            foreach (var damaged in replica.Damaged) printer.Warn($"{damaged} Run 'fbackup repository repair'.");
            if (replica.DamagedCount > replica.Damaged.Count) printer.Warn($"…and {replica.DamagedCount - replica.Damaged.Count} more.");
            if (replica.OnlyOnReplicaCount > 0)
                printer.Warn(
                    $"{Human.Count(replica.OnlyOnReplicaCount, "recovery point is", "recovery points are")} only on replica {replica.Replica}, and nobody removed "
                    + $"them from the repository, such as {replica.OnlyOnReplica[0]}; 'fbackup repository repair' puts them back.");
            foreach (var note in replica.Notes) printer.Warn(note);
        }
    }

    private static JsonObject ToJson(string instanceId, ReplicationResult result) => new()
    {
        ["instance"] = instanceId,
        ["replicas"] = new JsonArray([.. result.Replicas.Select(r => new JsonObject
        {
            ["replica"] = r.Replica,
            ["outcome"] = r.Outcome.ToString().ToLowerInvariant(),
            ["copied_objects"] = r.CopiedObjects,
            ["copied_bytes"] = r.CopiedBytes,
            ["removed_objects"] = r.RemovedObjects,
            ["missing_objects"] = r.MissingObjects,
            ["missing_bytes"] = r.MissingBytes,
            ["lag_seconds"] = r.LagSeconds,
            ["damaged"] = new JsonArray([.. r.Damaged.Select(d => JsonValue.Create(d))]),
            ["only_on_replica"] = new JsonArray([.. r.OnlyOnReplica.Select(d => JsonValue.Create(d))]),
            ["notes"] = new JsonArray([.. r.Notes.Select(d => JsonValue.Create(d))]),
            ["error"] = r.Failure?.Sentence,
        })]),
    };
}
