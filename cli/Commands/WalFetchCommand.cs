using System.CommandLine;
using System.Text.Json.Nodes;
using FunctionsBackup.Cli.Running;
using FunctionsBackup.Components.PostgreSql.Wal.Archiving;
using FunctionsBackup.Orchestrations.Site;

namespace FunctionsBackup.Cli.Commands;

/// <summary><c>wal fetch</c>: for <c>restore_command = 'fbackup --config FILE wal fetch --stop-on-failure "%f" "%p"'</c>.</summary>
internal static class WalFetchCommand
{
    /// <summary>PostgreSQL takes codes up to 125 for "no such file", the end of recovery; what is above stops it (xlogarchive.c).</summary>
    private const int StopsTheServer = 255;

    public static Command Create()
    {
        var name = new Argument<string>("NAME") { Description = "The file's name: %f in restore_command." };
        var path = new Argument<string>("PATH") { Description = "Where to put it: %p in restore_command." };
        var data = WalOptions.DataDirectory();
        var stop = new Option<bool>("--stop-on-failure")
        {
            Description = "For restore_command: end with code 255 if it failed for another reason than that the file is not archived, so that the "
                + "server stops instead of taking the failure for the end of the WAL.",
        };
        return new Command(
            "fetch", "Bring a WAL file from the archive; for restore_command. Exit code 4: not archived.") { name, path, data, stop }
            .Does(async (context, cancellationToken) =>
            {
                try
                {
                    return await RunAsync(context, context.Get(name), context.Get(path), context.Get(data), cancellationToken);
                }
                catch (Exception e) when (context.Get(stop))
                {
                    context.Printer.Error(CommandFailures.Describe(e));
                    return StopsTheServer;
                }
            });
    }

    private static async Task<int> RunAsync(
        CommandContext context, string name, string path, string? dataDirectory, CancellationToken cancellationToken)
    {
        var options = new WalFetchOptions { SpoolDirectory = Spool.Find(context.Configuration), Parallelism = context.Parallelism };
        var outcome = await new WalFetch(options, WalOptions.Reader(context), context.Time).RunAsync(
            name, path, dataDirectory, cancellationToken);
        if (context.Printer.Json)
            context.Printer.Result(() => new JsonObject { ["file"] = name, ["found"] = outcome != WalFetchOutcome.NotFound }, _ => { });
        if (outcome != WalFetchOutcome.NotFound) return ExitCode.Done;
        context.Printer.Note($"{name} is not archived.");
        return ExitCode.NotFound;
    }
}
