using System.CommandLine;
using System.CommandLine.Parsing;
using System.Reflection;
using FunctionsBackup.Cli.Commands;
using FunctionsBackup.Cli.Running;
using FunctionsBackup.Operations.Configuration;

namespace FunctionsBackup.Cli;

/// <summary>The whole command line; each command stands in a file of its own under Commands.</summary>
internal static class CommandLine
{
    /// <summary>No response files: an argument that begins with @ is an argument.</summary>
    public static ParserConfiguration Parsing { get; } = new() { ResponseFileTokenReplacer = null };

    public static string Version =>
        typeof(CommandLine).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";

    public static RootCommand Create() =>
        new("Backup and recovery of databases and files into a deduplicating, encrypted repository.")
        {
            GlobalOptions.Config,
            GlobalOptions.Json,
            GlobalOptions.RecoveryKeyFile,
            InitCommand.Create(),
            new Command("backup", "Take, list, verify and remove recovery points.")
            {
                BackupRunCommand.Create(), BackupListCommand.Create(), BackupShowCommand.Create(), BackupDiffCommand.Create(), BackupVerifyCommand.Create(),
                BackupPruneCommand.Create(), BackupKeepCommand.Create(), BackupDecideCommand.Accept(), BackupDecideCommand.Reject(),
            },
            RestoreCommand.Create(),
            EraseCommand.Create(),
            StatusCommand.Create(),
            WorkCommand.Create(),
            ServeCommand.Create(),
            new Command("config", "Check or show the configuration.") { ConfigCheckCommand.Create(), ConfigShowCommand.Create() },
            new Command("repository", "Look into and mend the repository.")
            {
                RepositoryStatsCommand.Create(), RepositoryValidateCommand.Create(), RepositoryReplicateCommand.Create(),
                RepositoryRepairCommand.Create(), RepositoryKeysCommand.Create(), RepositoryRotateKeyCommand.Create(),
            },
            new Command("audit", "Who did what: prove, list and export the audit log.")
            {
                AuditVerifyCommand.Create(), AuditListCommand.Create(), AuditExportCommand.Create(),
            },
            new Command("livekit", "What a backup knows of a LiveKit server.") { LiveKitRecordingsCommand.Create(), LiveKitEventsCommand.Create() },
            new Command("wal", "Archive and fetch PostgreSQL's write-ahead log.")
            {
                WalPushCommand.Create(), WalFetchCommand.Create(), WalReceiveCommand.Create(),
            },
        };

    /// <summary>The first thing that is wrong with the arguments, and where to look.</summary>
    public static string Explain(ParseResult arguments)
    {
        var path = new List<string>();
        for (var at = arguments.CommandResult; at?.Parent is CommandResult parent; at = parent) path.Insert(0, at.Command.Name);
        var wrong = arguments.UnmatchedTokens.Count > 0 ? arguments.UnmatchedTokens[0] : null;
        var problem = arguments switch
        {
            _ when wrong is not null => $"There is no {(wrong.StartsWith('-') ? "option" : "command or argument")} '{wrong}' here",
            { CommandResult.Command.Subcommands.Count: > 0 } => "A command is missing",
            _ => arguments.Errors[0].Message.Trim().TrimEnd('.'),
        };
        var command = arguments.CommandResult.Command;
        var names = command.Subcommands.Select(c => c.Name).Concat(command.Options.Select(o => o.Name)).Append("--config").Append("--json");
        var near = wrong is null ? null : NearestName.Find(wrong, names);
        return near is null ? $"{problem}; see: {string.Join(' ', ["fbackup", .. path, "--help"])}" : $"{problem}; did you mean '{near}'?";
    }
}
