using FunctionsBackup.Orchestrations.Instances;
using FunctionsBackup.Orchestrations.Site;
using FunctionsBackup.Orchestrations.Verification;
using Microsoft.DurableTask;

namespace FunctionsBackup.Orchestrations.Backup;

/// <summary>Where each component of a backup stands: the source of its custom status and of its result. Orchestrator code: deterministic.</summary>
internal sealed class BackupBoard(TaskOrchestrationContext context, IReadOnlyList<string> components)
{
    private readonly DateTimeOffset _startedAt = Now(context);
    private readonly List<Row> _rows = [.. components.Select(c => new Row(c))];
    private DateTimeOffset? _storingSince, _heard;

    public IEnumerable<ComponentResult> Results => _rows.Select(r => r.Result).OfType<ComponentResult>();

    public void Supersede(string component, string holder)
    {
        var row = RowOf(component);
        row.State = ComponentState.Superseded;
        row.SupersededBy = holder;
        row.Result = new ComponentResult { Component = component, Outcome = RunOutcome.Superseded, SupersededBy = holder };
    }

    public void Plan(ComponentPlan plan)
    {
        var row = RowOf(plan.Component);
        row.Units = plan.Units;
        if (plan.Failure is not null) row.Fail(plan.Failure);
    }

    public bool HasFailed(string component) => RowOf(component).Failure is not null;

    public void StartUnit(string component) => RowOf(component).State = ComponentState.Storing;

    public void Beat(Heartbeat heartbeat)
    {
        _heard = heartbeat.At;
        // It may come from a component that has been dropped since.
        if (_rows.Find(r => r.Component == heartbeat.Component) is { } row) row.Beats[heartbeat.Unit] = heartbeat;
    }

    public void EndUnit(string component, UnitResult result)
    {
        var row = RowOf(component);
        row.Beats.Remove(result.Unit);
        _heard = Now(context);
        if (result.Failure is not null)
        {
            row.Fail(result.Failure);
            return;
        }

        row.Ended.Add(result);
        if (row.Ended.Count == row.Units.Count && row.Failure is null) row.State = ComponentState.Stored;
    }

    /// <summary>Components that take part in the commit: those that are stored, and those that failed.</summary>
    public IReadOnlyList<CommitComponent> ToCommit() =>
    [
        .. _rows.Where(r => r.State != ComponentState.Superseded).Select(r => r.State == ComponentState.Stored
            ? new CommitComponent(r.Component, [.. r.Units.Select(u => u.Unit)], null)
            : new CommitComponent(r.Component, [], r.Failure ?? new Failure(FailureKind.Failed, $"{r.Component} was not stored."))),
    ];

    public void Commit(CommitResult committed)
    {
        foreach (var result in committed.Components)
        {
            var row = RowOf(result.Component);
            row.Result = result;
            row.State = result.Outcome == RunOutcome.Complete ? ComponentState.Committed : ComponentState.Failed;
            row.Failure = result.Failure;
        }
    }

    public void Cancel()
    {
        foreach (var row in _rows.Where(r => r.State != ComponentState.Superseded))
        {
            row.State = ComponentState.Cancelled;
            row.Result = new ComponentResult { Component = row.Component, Outcome = RunOutcome.Cancelled };
        }
    }

    public BackupResult ToResult(string? point, VerificationResult? verification)
    {
        foreach (var row in _rows.Where(r => r.Result is null))
            row.Result = new ComponentResult { Component = row.Component, Outcome = RunOutcome.Failed, Failure = row.Failure };
        var results = Results.ToList();
        var own = results.FindAll(r => r.Outcome != RunOutcome.Superseded);
        var outcome = own.Count == 0 ? RunOutcome.Superseded
            : own.Exists(r => r.Outcome == RunOutcome.Cancelled) ? RunOutcome.Cancelled
            : own.TrueForAll(r => r.Outcome == RunOutcome.Complete) ? RunOutcome.Complete
            : own.Exists(r => r.Outcome == RunOutcome.Complete) ? RunOutcome.Partial
            : RunOutcome.Failed;
        return new BackupResult
        {
            Outcome = outcome,
            ExitCode = ExitCode(outcome, own, verification),
            RecoveryPointId = point,
            Components = results,
            SupersededBy = outcome == RunOutcome.Superseded ? results.FirstOrDefault()?.SupersededBy : null,
            Verification = verification,
            StartedAt = _startedAt,
            CompletedAt = Now(context),
        };
    }

    /// <summary>Sets the custom status.</summary>
    public void Show(BackupPhase phase, string? point = null)
    {
        if (phase == BackupPhase.Storing) _storingSince ??= Now(context);
        var rows = _rows.ConvertAll(r => r.ToStatus());
        var (done, total) = (rows.Sum(r => r.BytesDone), rows.Sum(r => r.BytesTotal));
        context.SetCustomStatus(new BackupStatus
        {
            Phase = phase,
            Components = rows,
            UnitsDone = rows.Sum(r => r.UnitsDone),
            UnitsTotal = rows.Sum(r => r.UnitsTotal),
            BytesDone = done,
            BytesTotal = total,
            EstimatedEnd = phase == BackupPhase.Storing ? Estimate(done, total) : null,
            LastHeartbeat = _heard,
            RecoveryPointId = point,
        });
    }

    private DateTimeOffset? Estimate(long done, long total)
    {
        if (_storingSince is not { } since || done <= 0 || total <= done) return null;
        var elapsed = Now(context) - since;
        return elapsed <= TimeSpan.Zero ? null : since + TimeSpan.FromSeconds(Math.Min(elapsed.TotalSeconds * total / done, 1e8));
    }

    /// <summary>Whether a defect breaks one of these; of more defects than are listed, one is taken to.</summary>
    private static bool Touches(VerificationResult verification, List<ComponentResult> own) =>
        verification.DefectCount > verification.Defects.Count
        // A new snapshot relies on no part of the index that was damaged when it was taken, whatever else may.
        || verification.Defects.Any(
            d => d.BreaksSnapshot && !d.ObjectName.StartsWith("index/", StringComparison.Ordinal)
                && d.Snapshots.Intersect(own.Select(r => r.SnapshotId)).Any());

    private static int ExitCode(RunOutcome outcome, List<ComponentResult> own, VerificationResult? verification)
    {
        if (outcome == RunOutcome.Cancelled) return Failures.ExitCodeOf(FailureKind.Interrupted);
        if (own.Find(r => r.Failure is not null)?.Failure is { } failure) return Failures.ExitCodeOf(failure.Kind);
        if (outcome == RunOutcome.Failed) return 1;
        if (verification is { ExitCode: 5 } && !Touches(verification, own)) return 3; // damage elsewhere: the new snapshots are whole
        if (verification is { ExitCode: not (0 or 3) }) return verification.ExitCode;
        return own.Exists(r => r.Warnings > 0 || r.Anomalies.Count > 0 || r.NotCompared is not null) || verification?.ExitCode == 3 ? 3 : 0;
    }

    private Row RowOf(string component) => _rows.Find(r => r.Component == component)
        ?? throw new InvalidOperationException($"{component} is not part of this backup.");

    private static DateTimeOffset Now(TaskOrchestrationContext context) => new(DateTime.SpecifyKind(context.CurrentUtcDateTime, DateTimeKind.Utc));

    private sealed class Row(string component)
    {
        public string Component { get; } = component;

        public ComponentState State { get; set; } = ComponentState.Waiting;

        public string? SupersededBy { get; set; }

        public Failure? Failure { get; set; }

        public IReadOnlyList<UnitPlan> Units { get; set; } = [];

        public List<UnitResult> Ended { get; } = [];

        public Dictionary<string, Heartbeat> Beats { get; } = [];

        public ComponentResult? Result { get; set; }

        public void Fail(Failure failure)
        {
            State = ComponentState.Failed;
            Failure ??= failure;
        }

        public ComponentStatus ToStatus()
        {
            // Files grow while they are read: what is planned is what a unit counts for.
            var planned = Units.ToDictionary(u => u.Unit, u => u.Bytes);
            var done = Ended.Sum(u => planned.GetValueOrDefault(u.Unit) is > 0 and var bytes ? bytes : u.LogicalBytes);
            var total = Units.Sum(u => u.Bytes > 0 ? u.Bytes
                : Ended.Find(e => e.Unit == u.Unit)?.LogicalBytes ?? Beats.GetValueOrDefault(u.Unit)?.BytesTotal ?? 0);
            var beating = Beats.Values.Sum(b => planned.GetValueOrDefault(b.Unit) is > 0 and var bytes ? Math.Min(b.BytesDone, bytes) : b.BytesDone);
            return new ComponentStatus
            {
                Component = Component,
                State = State,
                UnitsDone = Ended.Count,
                UnitsTotal = Units.Count,
                FilesDone = Ended.Sum(u => u.Files) + Beats.Values.Sum(b => b.FilesDone),
                BytesDone = done + beating,
                BytesTotal = total,
                Error = Failure?.Sentence,
                SupersededBy = SupersededBy,
            };
        }
    }
}
