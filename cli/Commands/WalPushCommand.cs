using System.CommandLine;
using System.Text.Json.Nodes;
using FunctionsBackup.Cli.Running;
using FunctionsBackup.Components.PostgreSql.Wal;
using FunctionsBackup.Components.PostgreSql.Wal.Archiving;
using FunctionsBackup.Orchestrations.Site;

namespace FunctionsBackup.Cli.Commands;

/// <summary><c>wal push</c>: for <c>archive_command = 'fbackup --config FILE wal push "%p"'</c>.</summary>
internal static class WalPushCommand
{
    public static Command Create()
    {
        var path = new Argument<string>("PATH") { Description = "The file: %p in archive_command." };
        var data = WalOptions.DataDirectory();
        return new Command("push", "Archive a WAL file, and those that wait behind it; for archive_command.") { path, data }
            .Does((context, cancellationToken) => RunAsync(context, context.Get(path), context.Get(data), cancellationToken));
    }

    private static async Task<int> RunAsync(CommandContext context, string path, string? dataDirectory, CancellationToken cancellationToken)
    {
        var options = new WalPushOptions { SpoolDirectory = Spool.Find(context.Configuration), Parallelism = context.Parallelism };
        var result = await new WalPush(options, WalOptions.Opener(context), context.Time).RunAsync(path, dataDirectory, cancellationToken);
        foreach (var warning in result.Warnings) context.Printer.Warn(warning);
        if (context.Printer.Json)
        {
            context.Printer.Result(
                () => new JsonObject
                {
                    ["file"] = Path.GetFileName(path),
                    ["already_archived"] = result.WasAcknowledged || result.Outcome == WalPushOutcome.AlreadyArchived,
                    ["others"] = result.Others,
                },
                _ => { });
        }

        // Warnings are about other files, whose turn comes: the server must hear of success here.
        return ExitCode.Done;
    }
}
