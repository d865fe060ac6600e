using System.CommandLine;
using FunctionsBackup.Cli.Running;
using FunctionsBackup.Cli.Running.Restoring;
using FunctionsBackup.Components.PostgreSql;
using FunctionsBackup.Components.PostgreSql.Restore;
using FunctionsBackup.Components.PostgreSql.Wal;

namespace FunctionsBackup.Cli.Commands;

/// <summary><c>restore COMPONENT SNAPSHOT|latest --target DIR</c>: brings files or a database back; <c>--plan</c> says how, and changes
/// nothing.</summary>
internal static class RestoreCommand
{
    private static readonly Argument<string> Component = new("COMPONENT") { Description = "postgres, voice_data, logs or configuration." };

    private static readonly Argument<string> Point = new("SNAPSHOT")
    {
        Description = "A recovery point's id, a unique beginning of it, or latest.", DefaultValueFactory = _ => "latest",
    };

    private static readonly Option<string> Target = new("--target")
    {
        Description = "Where to: the data directory of postgres; of files, the folder in which each protected path appears.",
        HelpName = "DIR", Required = true,
    };

    private static readonly Option<bool> Plan = new("--plan")
    {
        Description = "Say what would be done, how long it would take, and change nothing.",
    };
    private static readonly Option<bool> Delta = new("--delta") { Description = "In place: write only what differs." };
    private static readonly Option<bool> Overwrite = new("--overwrite") { Description = "Allow what is there to be replaced." };
    private static readonly Option<bool> Staging = new("--staging")
    {
        Description = "Files: restore beside the target and swap in when complete.",
    };
    private static readonly Option<bool> DeleteExtra = new("--delete-extra")
    {
        Description = "Files, with --delta: also remove what the recovery point does not have.",
    };
    private static readonly Option<string[]> Include = new("--include")
    {
        Description = "Files: only what matches; may be repeated.", HelpName = "GLOB",
    };

    private static readonly Option<bool> OwnersByName = new("--owner-by-name")
    {
        Description = "Files: owners by name where this machine knows them, instead of by number.",
    };

    private static readonly Option<string?> ToTime = new("--to-time")
    {
        Description = "Up to this time, with its zone: 2026-11-22T15:00:00Z.", HelpName = "TIME",
    };
    private static readonly Option<string?> ToLsn = new("--to-lsn")
    {
        Description = "Postgres: up to this position: 16/B374D848.", HelpName = "LSN",
    };
    private static readonly Option<string?> ToName = new("--to-name")
    {
        Description = "Postgres: up to this restore point.", HelpName = "NAME",
    };
    private static readonly Option<uint?> ToXid = new("--to-xid")
    {
        Description = "Postgres: up to the end of this transaction.", HelpName = "XID",
    };
    private static readonly Option<bool> ToBackup = new("--to-backup") { Description = "Postgres: only to the end of the base backup." };
    private static readonly Option<bool> Inclusive = new("--inclusive")
    {
        Description = "With --to-lsn: also the record at that position.",
    };
    private static readonly Option<bool> Exclusive = new("--exclusive") { Description = "With --to-time or --to-xid: stop just before." };
    private static readonly Option<string> Timeline = new("--timeline")
    {
        Description = "Postgres: latest, current or a number.", DefaultValueFactory = _ => "latest",
    };

    private static readonly Option<string> Action = new("--target-action")
    {
        Description = "Postgres: promote, pause or shutdown when the target is reached.", DefaultValueFactory = _ => "promote",
    };

    private static readonly Option<string[]> TablespaceMap = new("--tablespace-map")
    {
        Description = "Postgres: put a tablespace elsewhere; may be repeated.", HelpName = "OLD|OID=NEW",
    };

    private static readonly Option<string?> ServerCommand = new("--restore-command")
    {
        Description = "Postgres: the server fetches WAL with this; otherwise what it needs is put into pg_wal.", HelpName = "COMMAND",
    };

    public static Command Create() =>
        new Command("restore", "Restore a component.")
        {
            Component, Point, Target, Plan, Delta, Overwrite, Staging, DeleteExtra, Include, OwnersByName, ToTime, ToLsn, ToName, ToXid, ToBackup,
                Inclusive, Exclusive,
            Timeline, Action, TablespaceMap, ServerCommand,
        }.Does(RunAsync);

    private static Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        var component = ComponentNames.Check(context.Get(Component));
        return component switch
        {
            "postgres" => RestorePostgresAsync(context, cancellationToken),
            "voice_data" or "logs" or "configuration" => RestoreFilesAsync(context, component, cancellationToken),
            null => throw new UsageException("Restore one component at a time; name it."),
            _ => throw new UsageException($"Restores of {component} are not available in this version."),
        };
    }

    private static Task<int> RestoreFilesAsync(CommandContext context, string component, CancellationToken cancellationToken)
    {
        Refuse(context, component, ToLsn, ToName, ToXid, ToBackup, Inclusive, Exclusive, TablespaceMap, ServerCommand);
        if (context.Get(DeleteExtra) && !context.Get(Delta)) throw new UsageException("--delete-extra goes with --delta only.");
        var request = new FilesRestoreRequest(component, context.Get(Point), Path.GetFullPath(context.Get(Target)!))
        {
            At = context.Get(ToTime) is { } time ? Moments.Parse(time) : null,
            Include = context.Get(Include) ?? [],
            Delta = context.Get(Delta),
            DeleteExtra = context.Get(DeleteExtra),
            Overwrite = context.Get(Overwrite),
            Staging = context.Get(Staging),
            OwnersByName = context.Get(OwnersByName),
        };
        return FilesRestore.RunAsync(context, request, context.Get(Plan), cancellationToken);
    }

    private static Task<int> RestorePostgresAsync(CommandContext context, CancellationToken cancellationToken)
    {
        Refuse(context, "postgres", Include, Staging, DeleteExtra, OwnersByName);
        var options = new PostgresRestoreOptions(Path.GetFullPath(context.Get(Target)!))
        {
            SnapshotId = context.Get(Point),
            Goal = Goal(context),
            Timeline = Parse(() => TimelineChoice.Parse(context.Get(Timeline)!)),
            Action = Enum.TryParse<RecoveryAction>(context.Get(Action), ignoreCase: true, out var action) && Enum.IsDefined(action)
                ? action
                : throw new UsageException("--target-action must be promote, pause or shutdown."),
            TablespaceMappings = [.. (context.Get(TablespaceMap) ?? []).Select(text => Parse(() => TablespaceMapping.Parse(text)))],
            Delta = context.Get(Delta),
            Overwrite = context.Get(Overwrite),
            Parallelism = context.Parallelism,
            RestoreCommand = context.Get(ServerCommand),
            Objective = context.Configuration.Objectives.Database.Rto,
        };
        return DatabaseRestore.RunAsync(context, options, context.Get(Plan), cancellationToken);
    }

    private static RestoreGoal Goal(CommandContext context)
    {
        var goals = new List<RestoreGoal>();
        if (context.Get(ToTime) is { } time) goals.Add(
            RestoreGoal.To(new RecoveryTarget.AtTime(Moments.Parse(time), !context.Get(Exclusive))));
        if (context.Get(ToLsn) is { } lsn) goals.Add(
            RestoreGoal.To(new RecoveryTarget.AtLsn(Parse(() => Lsn.Parse(lsn)), context.Get(Inclusive))));
        if (context.Get(ToName) is { } name) goals.Add(RestoreGoal.To(new RecoveryTarget.AtName(name)));
        if (context.Get(ToXid) is { } xid) goals.Add(RestoreGoal.To(new RecoveryTarget.AtXid(xid, !context.Get(Exclusive))));
        if (context.Get(ToBackup)) goals.Add(RestoreGoal.Immediate);
        if (goals.Count > 1) throw new UsageException("Name one target only: --to-time, --to-lsn, --to-name, --to-xid or --to-backup.");
        return goals.Count == 1 ? goals[0] : RestoreGoal.Latest;
    }

    private static void Refuse(CommandContext context, string component, params Option[] options)
    {
        foreach (var option in options)
            if (context.Arguments.GetResult(option) is { Implicit: false }) throw new UsageException(
                $"{option.Name} has no meaning for {component}.");
    }

    private static T Parse<T>(Func<T> parse)
    {
        try
        {
            return parse();
        }
        catch (FormatException e)
        {
            throw new UsageException(e.Message);
        }
    }
}
