using System.CommandLine;
using FunctionsBackup.Cli.Running;
using FunctionsBackup.Cli.Running.Restoring;
using FunctionsBackup.Cli.Running.Work;
using FunctionsBackup.Operations.Audit;
using FunctionsBackup.Orchestrations.Restore;
using FunctionsBackup.Orchestrations.Site;
using FunctionsBackup.Orchestrations.SiteRestore;

namespace FunctionsBackup.Cli.Commands;

/// <summary><c>restore COMPONENT SNAPSHOT|latest --target DIR</c>: brings files or a database back; <c>--plan</c> says how, and changes
/// nothing.</summary>
internal static class RestoreCommand
{
    private static readonly Argument<string> Component = new("COMPONENT")
    {
        Description = "postgres, redis, voice_data, logs, configuration or livekit; or all, as of one moment.",
    };

    private static readonly Argument<string> Point = new("SNAPSHOT")
    {
        Description = "A recovery point's id, a unique beginning of it, or latest.", DefaultValueFactory = _ => "latest",
    };

    private static readonly Option<string> Target = new("--target")
    {
        Description = "Where to: the data directory of postgres; of files, the folder in which each protected path appears, or a bucket; of livekit and redis, also the server; "
            + "of configuration, also kubernetes (./kubernetes is a folder); of all, a folder with one for each component.",
        HelpName = "DIR|bucket:NAME[/PREFIX]|server|kubernetes", Required = true,
    };

    private static readonly Option<string?> FromReplica = new("--from-replica")
    {
        Description = "Read from this replica alone, as if there were no repository.", HelpName = "NAME",
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

    private static readonly Option<bool> BeforeAnomaly = new("--before-anomaly")
    {
        Description = "The last recovery point from before what is suspicious; of postgres without a target, only to its end.",
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

    private static readonly Option<bool> Exact = new("--exact")
    {
        Description = "LiveKit and Redis, to a server: also delete what the recovery point does not have; asks first.",
    };
    private static readonly Option<bool> Yes = new("--yes") { Description = "With --exact: do not ask." };
    private static readonly Option<bool> RestartEgress = new("--restart-egress")
    {
        Description = "LiveKit, to its server: start recordings again that were going on, into new files.",
    };
    private static readonly Option<string?> IdMap = new("--id-map")
    {
        Description = "LiveKit, to its server: write the map of old to new ids to this file.", HelpName = "FILE",
    };

    private static readonly Option<int[]> Databases = new("--db") { Description = "Redis: only the keys of this database; may be repeated.", HelpName = "N" };
    private static readonly Option<string?> Match = new("--match") { Description = "Redis: only keys that match, as KEYS has it: session:*.", HelpName = "PATTERN" };
    private static readonly Option<string?> RenamePrefix = new("--rename-prefix")
    {
        Description = "Redis: keys that begin with OLD begin with NEW afterwards.", HelpName = "OLD=NEW",
    };

    private static readonly Option<string[]> DatabaseNames = new("--database")
    {
        Description = "Logical backup of postgres: only this database, under another name if need be; may be repeated.", HelpName = "NAME[=NEW]",
    };
    private static readonly Option<string[]> Schemas = new("--schema") { Description = "Logical backup of postgres: only this schema; may be repeated.", HelpName = "NAME" };
    private static readonly Option<string[]> Tables = new("--table") { Description = "Logical backup of postgres: only this table; may be repeated.", HelpName = "SCHEMA.TABLE" };
    private static readonly Option<bool> Clean = new("--clean")
    {
        Description = "Logical backup of postgres: drop first what is there and the recovery point has.",
    };

    private static readonly Option[] Goals = [ToTime, ToLsn, ToName, ToXid, ToBackup];

    public static Command Create() =>
        new Command("restore", "Restore a component.")
        {
            Component, Point, Target, FromReplica, Plan, Delta, Overwrite, Staging, DeleteExtra, Include, OwnersByName, BeforeAnomaly, ToTime, ToLsn, ToName, ToXid, ToBackup,
                Inclusive, Exclusive,
            Timeline, Action, TablespaceMap, ServerCommand, Exact, Yes, RestartEgress, IdMap, Databases, Match, RenamePrefix, DatabaseNames, Schemas, Tables, Clean, WorkOptions.OnInterrupt,
        }.Does(RunAsync);

    private static async Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        if (ComponentNames.Check(context.Get(Component)) is not { } component) return await RestoreAllAsync(context, cancellationToken);
        if (!ProtectedComponents.Available.Contains(component))
            throw new UsageException($"Restores of {component} are not available in this version.");
        if (component == "postgres") Refuse(context, component, Include, Staging, DeleteExtra, OwnersByName);
        else if (component != "redis") Refuse(context, component, ToLsn, ToName, ToXid, ToBackup, Inclusive, Exclusive, TablespaceMap, ServerCommand);
        if (context.Get(DeleteExtra) && !context.Get(Delta)) throw new UsageException("--delete-extra goes with --delta only.");
        if (Goals.Count(o => context.Arguments.GetResult(o) is { Implicit: false }) > 1)
            throw new UsageException("Name one target only: --to-time, --to-lsn, --to-name, --to-xid or --to-backup.");
        if (component != "postgres" && context.Get(ToTime) is not null && context.Get(Point) != "latest")
            throw new UsageException("--to-time goes with latest: it chooses the recovery point by itself.");
        if (context.Get(BeforeAnomaly) && context.Get(Point) != "latest")
            throw new UsageException("--before-anomaly goes with latest: it chooses the recovery point by itself.");
        var request = Request(context, component);
        RestoreRequests.Check(request);
        context.Audit.Action = context.Get(Plan) ? AuditActions.RestorePlan : AuditActions.Restore;
        context.Audit.Target = request.Point;
        context.Audit.Note("component", component);
        context.Audit.Note("target", request.Target);
        if (request.Exact && !context.Get(Plan)) Approve(context, component);
        if (!context.Get(Plan)) return await RestoreRun.RunAsync(context, request, cancellationToken);
        if (LogicalRestores.IsServer(request)) return await LogicalPlanView.RunAsync(context, request, cancellationToken);
        if (component == "redis") return await RedisPlanView.RunAsync(context, request, cancellationToken);
        if (LiveKitRestores.IsServer(request)) return await LiveKitPlan.RunAsync(context, request, cancellationToken);
        return component == "postgres"
            ? await DatabaseRestorePlan.RunAsync(context, request, cancellationToken)
            : await FilesRestorePlan.RunAsync(context, request, cancellationToken);
    }

    /// <summary>All components as of one moment.</summary>
    private static Task<int> RestoreAllAsync(CommandContext context, CancellationToken cancellationToken)
    {
        Refuse(
            context, "all", ToLsn, ToName, ToXid, ToBackup, Inclusive, Exclusive, Timeline, Action, TablespaceMap, ServerCommand, Include, Staging, DeleteExtra,
            OwnersByName, Databases, Match, RenamePrefix, DatabaseNames, Schemas, Tables, Clean);
        if (context.Get(Point) != "latest") throw new UsageException("For all, name a time (--to-time) instead of a recovery point; without one, the newest of each is taken.");
        if (BucketTarget.IsOne(context.Get(Target)!)) throw new UsageException("All components go into a folder; restore files alone to a bucket.");
        var request = new SiteRestoreRequest
        {
            Target = Path.GetFullPath(context.Get(Target)!),
            ToTime = context.Get(ToTime) is { } time ? Moments.Parse(time) : null,
            BeforeAnomaly = context.Get(BeforeAnomaly),
            Overwrite = context.Get(Overwrite),
            Delta = context.Get(Delta),
            FromReplica = context.Get(FromReplica),
        };
        if (request.ToTime > context.Time.GetUtcNow()) throw new UsageException("--to-time is in the future; nothing can be restored to it.");
        context.Audit.Action = context.Get(Plan) ? AuditActions.RestorePlan : AuditActions.Restore;
        context.Audit.Target = "all";
        context.Audit.Note("target", request.Target);
        return context.Get(Plan) ? SiteRestorePlan.RunAsync(context, request, cancellationToken) : SiteRestoreRun.RunAsync(context, request, cancellationToken);
    }

    private static RestoreRequest Request(CommandContext context, string component) => new()
    {
        Component = component,
        Point = context.Get(Point),
        Target = IsNamed(component, context.Get(Target)!) ? context.Get(Target)! : Path.GetFullPath(context.Get(Target)!),
        BeforeAnomaly = context.Get(BeforeAnomaly),
        FromReplica = context.Get(FromReplica),
        ToTime = context.Get(ToTime) is { } time ? Moments.Parse(time) : null,
        ToLsn = context.Get(ToLsn),
        ToName = context.Get(ToName),
        ToXid = context.Get(ToXid),
        ToBackup = context.Get(ToBackup),
        Inclusive = context.Get(Inclusive),
        Exclusive = context.Get(Exclusive),
        Timeline = context.Get(Timeline)!,
        TargetAction = context.Get(Action)!,
        TablespaceMap = context.Get(TablespaceMap) ?? [],
        RestoreCommand = context.Get(ServerCommand),
        Delta = context.Get(Delta),
        DeleteExtra = context.Get(DeleteExtra),
        Overwrite = context.Get(Overwrite),
        Staging = context.Get(Staging),
        Include = context.Get(Include) ?? [],
        OwnersByName = context.Get(OwnersByName),
        Exact = context.Get(Exact),
        RestartEgress = context.Get(RestartEgress),
        IdMap = context.Get(IdMap) is { } map ? Path.GetFullPath(map) : null,
        Databases = context.Get(Databases) ?? [],
        Match = context.Get(Match),
        RenamePrefix = context.Get(RenamePrefix),
        DatabaseNames = context.Get(DatabaseNames) ?? [],
        Schemas = context.Get(Schemas) ?? [],
        Tables = context.Get(Tables) ?? [],
        Clean = context.Get(Clean),
    };

    /// <summary>Whether a target is no folder.</summary>
    private static bool IsNamed(string component, string target) => BucketTarget.IsOne(target) || component switch
    {
        "livekit" => target == LiveKitRestores.Server,
        "redis" => RedisRestores.IsServer(target),
        "postgres" => LogicalRestores.IsServer(target),
        "configuration" => target == KubernetesRestores.Target,
        _ => false,
    };

    private static void Approve(CommandContext context, string component)
    {
        context.Audit.Note("mode", "exact");
        if (!context.Get(Yes) && !context.Printer.Ask(
            "What the server has and the recovery point has not is deleted: "
            + (component == "redis" ? "all other keys" : "trunks, rules, ingress, and rooms with everybody in them") + ". Type 'yes' to go on:"))
            throw new UsageException("Nothing was changed: add --yes where nobody is at a terminal, or --plan to see what would be deleted.");
    }

    private static void Refuse(CommandContext context, string component, params Option[] options)
    {
        foreach (var option in options)
            if (context.Arguments.GetResult(option) is { Implicit: false }) throw new UsageException(
                $"{option.Name} has no meaning for {component}.");
    }
}
