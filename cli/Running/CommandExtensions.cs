using System.CommandLine;
using FunctionsBackup.Cli.Output;
using FunctionsBackup.Cli.Running.Auditing;

namespace FunctionsBackup.Cli.Running;

/// <summary>How a command is given its work.</summary>
internal static class CommandExtensions
{
    /// <summary>Those that begin with the durable engine and then need the repository.</summary>
    private static readonly HashSet<string> EngineCommands = ["backup run", "backup verify", "backup prune", "restore", "repository replicate", "work follow"];

    /// <summary>Runs <paramref name="work"/> with a context that is disposed after it; its result is the exit code, and
    /// what it did goes to the audit log.</summary>
    public static Command Does(this Command command, Func<CommandContext, CancellationToken, Task<int>> work)
    {
        command.SetAction(async (arguments, cancellationToken) =>
        {
            using var printer = Printers.Create(arguments.GetValue(GlobalOptions.Json));
            await using var context = new CommandContext(arguments, printer, TimeProvider.System);
            if (BeginsWithKey(arguments) && File.Exists(context.ConfigurationFile)) context.Site.Repositories.Prepare();
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

    /// <summary>Deriving the key is slow on purpose, and needs nothing of what comes before its use. A replica has keys of its own.</summary>
    private static bool BeginsWithKey(ParseResult arguments) =>
        EngineCommands.Contains(AuditedCommands.NameOf(arguments.CommandResult)) && !arguments.Tokens.Any(t => t.Value == "--from-replica");
}
