using System.CommandLine.Parsing;
using FunctionsBackup.Operations.Audit;

namespace FunctionsBackup.Cli.Running.Auditing;

/// <summary>
/// Which commands leave entries in the audit log: all but those that only look, and the WAL's, which PostgreSQL calls for each segment. A
/// command that nobody put into a table here is recorded under its own name.
/// </summary>
internal static class AuditedCommands
{
    /// <summary>Change nothing, and read no protected data out.</summary>
    public static IReadOnlySet<string> Silent { get; } = new HashSet<string>
    {
        "backup list", "backup show", "status", "work list", "work show", "config check", "config show", "repository stats",
        "repository validate", "repository keys list", "repository keys writer list", "serve keys list", "wal push", "wal fetch", "wal receive",
        "serve", // the host records its own start and stop
    };

    /// <summary>What the log calls them, where that is not the command's own name.</summary>
    public static IReadOnlyDictionary<string, string> Actions { get; } = new Dictionary<string, string>
    {
        ["init"] = AuditActions.RepositoryInit,
        ["backup verify"] = AuditActions.Verify,
        ["backup prune"] = AuditActions.BackupPrune,
        ["backup keep"] = AuditActions.BackupKeep,
        ["backup accept"] = AuditActions.AnomalyDecision,
        ["backup reject"] = AuditActions.AnomalyDecision,
        ["restore"] = AuditActions.Restore,
        ["erase"] = AuditActions.Erasure,
        ["serve keys add"] = AuditActions.ApiKeyAdd,
        ["serve keys remove"] = AuditActions.ApiKeyRemove,
        ["repository keys add"] = AuditActions.KeyAdd,
        ["repository keys remove"] = AuditActions.KeyRemove,
        ["repository keys writer add"] = AuditActions.WriterAdd,
        ["repository keys writer remove"] = AuditActions.WriterRemove,
        ["repository rotate-key"] = AuditActions.KeyRotate,
        ["test restore"] = AuditActions.RestoreTest,
    };

    /// <summary>Work that may take long: an entry of its beginning tells of it, should it be killed.</summary>
    private static readonly HashSet<string> Long =
    [
        "backup run", "backup verify", "backup prune", "restore", "repository repair", "repository replicate", "repository rotate-key",
        "test restore", "work follow", "erase",
    ];

    /// <summary>The command's name, with those above it: <c>backup run</c>.</summary>
    public static string NameOf(CommandResult command)
    {
        var names = new Stack<string>();
        for (var at = command; at.Parent is CommandResult parent; at = parent) names.Push(at.Command.Name);
        return string.Join(' ', names);
    }

    /// <summary>What the log calls a command; null: it leaves no entry.</summary>
    public static string? ActionOf(string command) => command.Length == 0 || Silent.Contains(command) ? null
        : Actions.TryGetValue(command, out var action) ? action : command.Replace(' ', '.').Replace('-', '_');

    public static bool IsLong(string command) => Long.Contains(command);
}
