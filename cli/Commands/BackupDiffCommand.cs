using System.CommandLine;
using FunctionsBackup.Cli.Output;
using FunctionsBackup.Cli.Running;
using FunctionsBackup.Components.Configuration.Diffs;

namespace FunctionsBackup.Cli.Commands;

/// <summary><c>backup diff OLD NEW</c>: how two recovery points of configuration differ, without secrets.</summary>
internal static class BackupDiffCommand
{
    public static Command Create()
    {
        var old = new Argument<string>("OLD") { Description = "A recovery point of configuration: its id or a unique beginning of it." };
        var now = new Argument<string>("NEW") { Description = "Another one, or latest.", DefaultValueFactory = _ => "latest" };
        return new Command("diff", "Show how two recovery points of configuration differ.") { old, now }.Does(async (context, cancellationToken) =>
        {
            var repository = await context.OpenRepositoryAsync(cancellationToken);
            var before = await repository.GetSnapshotAsync(context.Get(old)!, "configuration", cancellationToken);
            var after = await repository.GetSnapshotAsync(context.Get(now)!, "configuration", cancellationToken);
            var changes = await ConfigurationDiff.CompareAsync(
                DiffSides.OfSnapshot(repository, before, cancellationToken), DiffSides.OfSnapshot(repository, after, cancellationToken), before.Id,
                cancellationToken);
            context.Printer.Result(
                () =>
                {
                    var json = ConfigurationView.ToJson(changes);
                    json["id"] = after.Id;
                    return json;
                },
                output => ConfigurationView.Write(changes, output));
            return ExitCode.Done;
        });
    }
}
