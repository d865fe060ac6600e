using System.CommandLine;
using FunctionsBackup.Cli.Running;

namespace FunctionsBackup.Cli.Commands;

internal static class WalReceiveCommand
{
    public static Command Create() => new Command("receive", "receive.").Does(async (context, cancellationToken) =>
    {
        await context.OpenRepositoryAsync(cancellationToken);
        return ExitCode.Done;
    });
}
