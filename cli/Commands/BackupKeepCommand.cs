using System.CommandLine;
using System.Text.Json.Nodes;
using FunctionsBackup.Cli.Running;
using FunctionsBackup.Operations.Audit;

namespace FunctionsBackup.Cli.Commands;

/// <summary><c>backup keep ID</c>: pins a recovery point, so that retention never removes it.</summary>
internal static class BackupKeepCommand
{
    public static Command Create()
    {
        var id = new Argument<string>("ID") { Description = "A recovery point's id, a unique beginning of it, or latest." };
        var type = ComponentNames.Option("With latest: of this component.");
        var reason = new Option<string>("--reason") { Description = "Why, for people.", DefaultValueFactory = _ => "" };
        var remove = new Option<bool>("--remove") { Description = "Let retention decide again." };
        return new Command("keep", "Keep a recovery point whatever retention says.") { id, type, reason, remove }.Does(
            async (context, cancellationToken) =>
        {
            var component = ComponentNames.Check(context.Get(type));
            var repository = await context.OpenRepositoryAsync(cancellationToken, index: false);
            var snapshot = await repository.GetSnapshotAsync(context.Get(id), component, cancellationToken);
            var kept = !context.Get(remove);
            context.Audit.Action = kept ? AuditActions.BackupKeep : AuditActions.BackupUnkeep;
            context.Audit.Target = snapshot.Id;
            context.Audit.Note("reason", context.Get(reason));
            if (kept) await repository.Snapshots.PinAsync(snapshot.Id, context.Get(reason)!, cancellationToken);
            else await repository.Snapshots.UnpinAsync(snapshot.Id, cancellationToken);
            context.Printer.Result(
                () => new JsonObject { ["id"] = snapshot.Id, ["kept"] = kept },
                output => output.WriteLine(
                    kept ? $"{snapshot.Id} stays, whatever retention says." : $"Retention decides on {snapshot.Id} again."));
            return ExitCode.Done;
        });
    }
}
