using System.CommandLine;
using FunctionsBackup.Cli.Output;
using FunctionsBackup.Cli.Running;
using FunctionsBackup.Components.Configuration.Diffs;
using FunctionsBackup.Orchestrations.Anomalies;

namespace FunctionsBackup.Cli.Commands;

/// <summary><c>backup show ID</c>: one recovery point.</summary>
internal static class BackupShowCommand
{
    public static Command Create()
    {
        var id = new Argument<string>("ID") { Description = "A recovery point's id, a unique beginning of it, or latest." };
        var type = ComponentNames.Option("With latest: of this component.");
        var diff = new Option<bool>("--diff") { Description = "Of configuration: how it differs from the one before, without secrets." };
        return new Command("show", "Show one recovery point.") { id, type, diff }.Does(async (context, cancellationToken) =>
        {
            var component = ComponentNames.Check(context.Get(type));
            var repository = await context.OpenRepositoryAsync(cancellationToken, index: false);
            var snapshot = await repository.GetSnapshotAsync(context.Get(id), component, cancellationToken);
            if (context.Get(diff))
            {
                var changes = ConfigurationChanges.FromDetails(snapshot.Details) ?? throw new UsageException(
                    $"{snapshot.Id} says nothing of changes: only recovery points of configuration do, from the second on; 'fbackup backup diff OLD NEW' compares any two.");
                context.Printer.Result(() => ConfigurationView.ToJson(changes), output => ConfigurationView.Write(changes, output));
                return ExitCode.Done;
            }

            var suspicions = await CleanPoints.SuspicionsAsync(repository, snapshot.Component, cancellationToken);
            context.Printer.Result(() => SnapshotView.ToJson(snapshot, suspicions), output => SnapshotView.Describe(snapshot, suspicions, output));
            return ExitCode.Done;
        });
    }
}
