using System.CommandLine;
using FunctionsBackup.Cli.Output;

namespace FunctionsBackup.Cli.Running;

/// <summary>How a command is given its work.</summary>
internal static class CommandExtensions
{
    /// <summary>Runs <paramref name="work"/> with a context that is disposed after it; its result is the exit code, and
    /// what it did goes to the audit log.</summary>
    public static Command Does(this Command command, Func<CommandContext, CancellationToken, Task<int>> work)
    {
        command.SetAction(async (arguments, cancellationToken) =>
        {
            using var printer = Printers.Create(arguments.GetValue(GlobalOptions.Json));
            await using var context = new CommandContext(arguments, printer, TimeProvider.System);
            await context.Audit.BeginAsync();
            int code;
            try
            {
                code = await work(context, cancellationToken);
            }
            catch (Exception e)
            {
                await context.Audit.EndAsync(cancellationToken.IsCancellationRequested ? ExitCode.Interrupted : CommandFailures.CodeOf(e), e);
                throw;
            }

            await context.Audit.EndAsync(code == ExitCode.Failed && cancellationToken.IsCancellationRequested ? ExitCode.Interrupted : code, null);
            return code;
        });
        return command;
    }
}
