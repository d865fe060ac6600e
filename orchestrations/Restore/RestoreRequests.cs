using FunctionsBackup.Components.PostgreSql;
using FunctionsBackup.Components.PostgreSql.Restore;
using FunctionsBackup.Components.PostgreSql.Wal;
using FunctionsBackup.Orchestrations.Anomalies;
using FunctionsBackup.Orchestrations.Instances;
using FunctionsBackup.Orchestrations.Site;
using FunctionsBackup.Repository;

namespace FunctionsBackup.Orchestrations.Restore;

/// <summary>Checks restore requests and reads what they say.</summary>
public static class RestoreRequests
{
    /// <exception cref="InvalidRequestException">The request makes no sense.</exception>
    public static void Check(RestoreRequest request)
    {
        if (!ProtectedComponents.Available.Contains(request.Component))
            throw new InvalidRequestException(
                $"Restores of '{Shown(request.Component)}' are not available; name one of {string.Join(", ", ProtectedComponents.Available)}.");
        var bucket = BucketTarget.Parse(request.Target);
        if (LogicalRestores.Check(request) || RedisRestores.Check(request) || LiveKitRestores.Check(request)) return;
        var isCluster = request.Target == KubernetesRestores.Target;
        if (isCluster)
        {
            if (request.Component != "configuration") throw new InvalidRequestException("Only configuration is restored to the target kubernetes.");
            Refuse(request.Delta || request.Staging || request.DeleteExtra || request.OwnersByName, "delta, staging, delete_extra or owners_by_name", "the target kubernetes");
        }

        if (bucket is null && !isCluster && !Path.IsPathFullyQualified(request.Target)) throw new InvalidRequestException("The target must be an absolute path.");
        if (request.Target.Contains('\0')) throw new InvalidRequestException("The target is not a path.");
        if (request.BeforeAnomaly && request.Point != "latest")
            throw new InvalidRequestException("before_anomaly goes with latest: it chooses the recovery point by itself.");
        if (bucket is not null)
        {
            Refuse(request.Component == "postgres", "a bucket as target", request.Component);
            Refuse(request.Delta || request.Staging || request.DeleteExtra || request.OwnersByName, "delta, staging, delete_extra or owners_by_name",
                "a bucket as target");
        }

        if (request.Component == "postgres")
        {
            Refuse(request.Include.Count > 0, "include", request.Component);
            Refuse(request.Staging, "staging", request.Component);
            Refuse(request.DeleteExtra, "delete_extra", request.Component);
            Refuse(request.OwnersByName, "owners_by_name", request.Component);
            Goal(request);
            Timeline(request);
            Action(request);
            Tablespaces(request);
            return;
        }

        Refuse(request.ToLsn is not null || request.ToName is not null || request.ToXid is not null || request.ToBackup, "a target in the WAL",
            request.Component);
        Refuse(request.Inclusive || request.Exclusive, "inclusive or exclusive", request.Component);
        Refuse(request.TablespaceMap.Count > 0, "tablespace_map", request.Component);
        Refuse(request.RestoreCommand is not null, "restore_command", request.Component);
        if (request.DeleteExtra && !request.Delta) throw new InvalidRequestException("delete_extra goes with delta only.");
        if (request.ToTime is not null && request.Point != "latest")
            throw new InvalidRequestException("to_time goes with latest: it chooses the recovery point by itself.");
    }

    /// <summary>How far a database is recovered.</summary>
    /// <exception cref="InvalidRequestException">More than one target, or one that cannot be read.</exception>
    public static RestoreGoal Goal(RestoreRequest request)
    {
        var goals = new List<RestoreGoal>();
        if (request.ToTime is { } time) goals.Add(RestoreGoal.To(new RecoveryTarget.AtTime(time, !request.Exclusive)));
        if (request.ToLsn is { } lsn) goals.Add(RestoreGoal.To(new RecoveryTarget.AtLsn(Read(() => Lsn.Parse(lsn)), request.Inclusive)));
        if (request.ToName is { } name) goals.Add(RestoreGoal.To(new RecoveryTarget.AtName(name)));
        if (request.ToXid is { } xid)
        {
            if (xid is < 0 or > uint.MaxValue) throw new InvalidRequestException("A transaction id is a number from 0 to 4294967295.");
            goals.Add(RestoreGoal.To(new RecoveryTarget.AtXid((uint)xid, !request.Exclusive)));
        }

        // The WAL behind a clean base backup leads right into the damage.
        if (request.ToBackup || (request.BeforeAnomaly && goals.Count == 0)) goals.Add(RestoreGoal.Immediate);
        if (goals.Count > 1)
            throw new InvalidRequestException("Name one target only: a time, an LSN, a restore point, a transaction, or the end of the backup.");
        return goals.Count == 1 ? goals[0] : RestoreGoal.Latest;
    }

    /// <exception cref="InvalidRequestException">It is none.</exception>
    public static TimelineChoice Timeline(RestoreRequest request) => Read(() => TimelineChoice.Parse(request.Timeline));

    /// <exception cref="InvalidRequestException">It is none.</exception>
    public static RecoveryAction Action(RestoreRequest request) =>
        Enum.TryParse<RecoveryAction>(request.TargetAction, ignoreCase: true, out var action) && Enum.IsDefined(action)
            ? action
            : throw new InvalidRequestException("The target action must be promote, pause or shutdown.");

    /// <exception cref="InvalidRequestException">One is none.</exception>
    public static IReadOnlyList<TablespaceMapping> Tablespaces(RestoreRequest request) =>
        [.. request.TablespaceMap.Select(text => Read(() => TablespaceMapping.Parse(text)))];

    /// <summary>What a request for postgres asks of the restore.</summary>
    /// <exception cref="InvalidRequestException">It makes no sense.</exception>
    public static async ValueTask<PostgresRestoreOptions> PostgresOptionsAsync(
        BackupRepository repository, RestoreRequest request, BackupSite site, CancellationToken cancellationToken) => new(request.Target)
    {
        SnapshotId = request.BeforeAnomaly
            ? (await CleanPoints.FindAsync(repository, request.Component, request.ToTime, cancellationToken)).Id
            : request.Point,
        Goal = Goal(request),
        Timeline = Timeline(request),
        Action = Action(request),
        TablespaceMappings = Tablespaces(request),
        Delta = request.Delta,
        Overwrite = request.Overwrite,
        Parallelism = site.Parallelism,
        RestoreCommand = request.RestoreCommand,
        Objective = site.Configuration.Objectives.Database.Rto,
    };

    /// <summary>Whether both write to the same place, or one into the other's.</summary>
    internal static bool SameTarget(RestoreRequest a, RestoreRequest b)
    {
        var (x, y) = (Folder(a), Folder(b));
        return x.StartsWith(y, StringComparison.Ordinal) || y.StartsWith(x, StringComparison.Ordinal);

        static string Folder(RestoreRequest request) => Path.GetFullPath(request.Target).TrimEnd('/') + "/";
    }

    private static void Refuse(bool isSet, string what, string component)
    {
        if (isSet) throw new InvalidRequestException($"For {component}, {what} has no meaning; leave it out.");
    }

    private static T Read<T>(Func<T> parse)
    {
        try
        {
            return parse();
        }
        catch (FormatException e)
        {
            throw new InvalidRequestException(e.Message);
        }
    }

    private static string Shown(string text) => new([.. text.Take(40).Select(c => char.IsControl(c) ? '?' : c)]);
}
