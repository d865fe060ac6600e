using FunctionsBackup.Orchestrations.Instances;
using FunctionsBackup.Orchestrations.Site;
using FunctionsBackup.Orchestrations.Verification;
using FunctionsBackup.Repository.Runs;
using Microsoft.DurableTask;

namespace FunctionsBackup.Orchestrations.Backup;

/// <summary>One instance of <see cref="BackupOrchestrator"/>. Orchestrator code: deterministic.</summary>
internal sealed class BackupFlow
{
    private readonly TaskOrchestrationContext _context;
    private readonly BackupRequest _request;
    private readonly BackupBoard _board;
    private readonly Task<string> _cancel;
    private readonly string _runId;

    public BackupFlow(TaskOrchestrationContext context, BackupRequest request)
    {
        _context = context;
        _request = request;
        _board = new BackupBoard(context, request.Components);
        _cancel = context.WaitForExternalEvent<string>(InstanceEvents.Cancel);
        _runId = RunIds.Create(context.CurrentUtcDateTime, BitConverter.ToUInt32(context.NewGuid().ToByteArray()));
    }

    public async Task<BackupResult> RunAsync()
    {
        _board.Show(BackupPhase.Claiming);
        var claim = await _context.CallActivityAsync<ClaimResult>(
            nameof(ClaimBackup), new ClaimRequest(_context.InstanceId, _request.Components), Retrying.Default);
        foreach (var (component, holder) in claim.Held) _board.Supersede(component, holder);
        if (claim.Granted.Count == 0) return await EndAsync(null, null);
        if (_cancel.IsCompleted) return await CancelAsync(false);

        _board.Show(BackupPhase.Planning);
        var plan = await PlanAsync(claim.Granted);
        foreach (var component in plan.Components) _board.Plan(component);
        _board.Show(BackupPhase.Storing);
        await new UnitFanOut(_context, _board, _runId, _cancel).RunAsync(plan);
        if (_cancel.IsCompleted) return await CancelAsync(true);

        var commit = _board.ToCommit();
        if (commit.All(c => c.Failure is not null))
        {
            await AbandonAsync();
            return await EndAsync(null, null);
        }

        _board.Show(BackupPhase.Committing);
        var committed = await CommitAsync(commit);
        _board.Commit(committed);
        return await EndAsync(committed.RecoveryPointId, await VerifyAsync());
    }

    private async Task<BackupPlan> PlanAsync(IReadOnlyList<string> components)
    {
        try
        {
            return await _context.CallActivityAsync<BackupPlan>(
                nameof(PlanBackup), new PlanRequest(_context.InstanceId, _runId, components, _request.Full), Retrying.Default);
        }
        catch (TaskFailedException e)
        {
            var failure = Failures.Of(e);
            return new BackupPlan { Components = [.. components.Select(c => new ComponentPlan { Component = c, Failure = failure })] };
        }
    }

    private async Task<CommitResult> CommitAsync(IReadOnlyList<CommitComponent> components)
    {
        try
        {
            return await _context.CallActivityAsync<CommitResult>(
                nameof(CommitBackup), new CommitRequest(_context.InstanceId, _runId, components), Retrying.Default);
        }
        catch (TaskFailedException e)
        {
            var failure = Failures.Of(e);
            return new CommitResult(
                null,
                [.. components.Select(c => new ComponentResult { Component = c.Component, Outcome = RunOutcome.Failed, Failure = c.Failure ?? failure })]);
        }
    }

    /// <summary>A verification of its own, so that its history is not ours. What it finds does not undo the backup.</summary>
    private async Task<VerificationResult?> VerifyAsync()
    {
        var snapshots = _board.Results.Select(r => r.SnapshotId).OfType<string>().ToList();
        if (_request.Verify == "none" || snapshots.Count == 0) return null;
        _board.Show(BackupPhase.Verifying);
        var id = InstanceIds.Verification + "of-" + _context.InstanceId;
        var verification = _context.CallSubOrchestratorAsync<VerificationResult>(
            nameof(VerificationOrchestrator), new VerificationRequest { Level = _request.Verify, SnapshotIds = snapshots },
            new SubOrchestrationOptions(instanceId: id));
        try
        {
            await Task.WhenAny(verification, _cancel);
            if (!verification.IsCompleted) _context.SendEvent(id, InstanceEvents.Cancel, "the backup was cancelled");
            return await verification;
        }
        catch (TaskFailedException e)
        {
            var failure = Failures.Of(e);
            return new VerificationResult
            {
                Outcome = RunOutcome.Failed, Level = _request.Verify, Failure = failure, ExitCode = Failures.ExitCodeOf(failure.Kind),
            };
        }
    }

    private async Task<BackupResult> CancelAsync(bool begun)
    {
        _board.Show(BackupPhase.Cancelling);
        _board.Cancel();
        if (begun) await AbandonAsync();
        return await EndAsync(null, null);
    }

    /// <summary>What is left behind if this fails is harmless, and garbage collection removes it.</summary>
    private async Task AbandonAsync()
    {
        try
        {
            await _context.CallActivityAsync<bool>(nameof(AbandonBackup), new AbandonRequest(_runId), Retrying.Default);
        }
        catch (TaskFailedException)
        {
            return;
        }
    }

    private async Task<BackupResult> EndAsync(string? point, VerificationResult? verification)
    {
        var result = _board.ToResult(point, verification);
        try
        {
            var report = new BackupReport(
                _request.Full ? "full" : "incremental", _request.Retention && point is not null, result, _context.InstanceId, _request.RequestedBy);
            if (result.Outcome != RunOutcome.Superseded)
            {
                var started = await _context.CallActivityAsync<FollowUps>(nameof(ReportBackup), report, Retrying.Default);
                result = result with { RetentionInstance = started.Retention, ReplicationInstance = started.Replication };
            }
        }
        catch (TaskFailedException)
        {
            // The recovery point is there; that nobody could be told must not make the backup a failure.
            result = result with { ExitCode = result.ExitCode == 0 ? 3 : result.ExitCode };
        }

        _board.Show(BackupPhase.Ended, point);
        return result;
    }
}
