using System.CommandLine;
using System.Text.Json.Nodes;
using FunctionsBackup.Cli.Running;
using FunctionsBackup.Orchestrations.Site;
using FunctionsBackup.Repository.Anomalies;

namespace FunctionsBackup.Cli.Commands;

/// <summary>
/// <c>backup accept ID</c> and <c>backup reject ID</c>: a person decides on a suspicious recovery point. Pruning of its component goes on; what
/// was rejected, and all taken from then until now, takes the place of no clean one and is passed over by <c>--before-anomaly</c>.
/// </summary>
internal static class BackupDecideCommand
{
    public static Command Accept() => Create("accept", true, "Say that a suspicious recovery point is what was meant.");

    public static Command Reject() => Create("reject", false, "Say that a suspicious recovery point, and those after it until now, are damage.");

    private static Command Create(string name, bool accepted, string description)
    {
        var id = new Argument<string>("ID") { Description = "The suspicious recovery point's id, or a unique beginning of it." };
        var reason = new Option<string>("--reason") { Description = "Why; it is kept with the decision.", Required = true };
        return new Command(name, description) { id, reason }.Does(async (context, cancellationToken) =>
        {
            if (string.IsNullOrWhiteSpace(context.Get(reason))) throw new UsageException("Say why with --reason TEXT; it is kept with the decision.");
            var repository = await context.OpenRepositoryAsync(cancellationToken, index: false);
            var snapshot = await repository.GetSnapshotAsync(context.Get(id), null, cancellationToken);
            context.Audit.Target = snapshot.Id;
            context.Audit.Note("accepted", accepted ? "true" : "false");
            context.Audit.Note("reason", context.Get(reason)!.Trim());
            var decision = new AnomalyDecision(
                snapshot.Id, accepted, $"{Environment.UserName}@{Environment.MachineName}", context.Get(reason)!.Trim(), context.Time.GetUtcNow());
            await new AnomalyStore(repository.Store, repository.Sealed).DecideAsync(decision, cancellationToken);
            context.Printer.Result(
                () => new JsonObject
                {
                    ["id"] = snapshot.Id, ["accepted"] = accepted, ["by"] = decision.By, ["reason"] = decision.Reason, ["at"] = Human.Iso(decision.At),
                },
                output => output.WriteLine(accepted
                    ? $"{snapshot.Id} is accepted; retention decides on {snapshot.Component} again."
                    : $"{snapshot.Id} is rejected, with all that was taken of {snapshot.Component} from then until now; retention decides again, and "
                        + "clean recovery points keep their places. Set the source right before the next backup."));
            return ExitCode.Done;
        });
    }
}
