using System.CommandLine;
using FunctionsBackup.Cli.Running;

namespace FunctionsBackup.Cli.Commands;

internal static class BackupPruneCommand
{
    public static Command Create() => new Command("prune", "prune.").Does(async (context, cancellationToken) =>
    {
        await context.OpenRepositoryAsync(cancellationToken);
        return ExitCode.Done;
    });
}
