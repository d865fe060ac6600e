using System.CommandLine;
using FunctionsBackup.Cli.Running;

namespace FunctionsBackup.Cli.Commands;

internal static class BackupKeepCommand
{
    public static Command Create() => new Command("keep", "keep.").Does(async (context, cancellationToken) =>
    {
        await context.OpenRepositoryAsync(cancellationToken);
        return ExitCode.Done;
    });
}
