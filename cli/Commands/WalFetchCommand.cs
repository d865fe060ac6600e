using System.CommandLine;
using FunctionsBackup.Cli.Running;

namespace FunctionsBackup.Cli.Commands;

internal static class WalFetchCommand
{
    public static Command Create() => new Command("fetch", "fetch.").Does(async (context, cancellationToken) =>
    {
        await context.OpenRepositoryAsync(cancellationToken);
        return ExitCode.Done;
    });
}
