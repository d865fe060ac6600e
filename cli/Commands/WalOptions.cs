using System.CommandLine;
using FunctionsBackup.Cli.Running;
using FunctionsBackup.Components.PostgreSql.Wal;
using FunctionsBackup.Components.PostgreSql.Wal.Archiving;

namespace FunctionsBackup.Cli.Commands;

/// <summary>What the WAL commands have in common.</summary>
internal static class WalOptions
{
    public static Option<string?> DataDirectory() => new("--data-directory")
    {
        Description = "PostgreSQL's data directory (default: the working directory, or where PATH is).", HelpName = "DIR",
    };

    /// <summary>Opens the repository without its index, which WAL does not need, and only when it is needed.</summary>
    public static WalArchiveOpener Opener(CommandContext context) => async (system, cancellationToken) =>
        new WalArchive(await context.OpenForAppendingAsync(cancellationToken), system);

    /// <summary>The same for reading: what the repository lacks or has damaged comes from a replica.</summary>
    public static WalArchiveOpener Reader(CommandContext context) => async (system, cancellationToken) =>
        new WalArchive(await context.OpenForReadingAsync(null, cancellationToken, index: false), system);
}
