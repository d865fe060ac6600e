using System.CommandLine;
using FunctionsBackup.Cli.Running;

namespace FunctionsBackup.Cli.Commands;

internal static class WalPushCommand
{
    public static Command Create() => new Command("push", "push.").Does(async (context, cancellationToken) =>
    {
        await context.OpenRepositoryAsync(cancellationToken);
        return ExitCode.Done;
    });
}
