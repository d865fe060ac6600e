using FunctionsBackup.Orchestrations.Instances;
using FunctionsBackup.Orchestrations.Site;
using Microsoft.DurableTask;

namespace FunctionsBackup.Orchestrations.Backup;

/// <summary>Works through the units of a plan, some at a time. Orchestrator code: deterministic.</summary>
internal sealed class UnitFanOut(TaskOrchestrationContext context, BackupBoard board, string runId, Task<string> cancel)
{
    private readonly List<(Task<UnitResult> Task, string Component, string Unit)> _running = [];

    /// <summary>Ends when all units have ended; after a cancellation, when those that were running have.</summary>
    public async Task RunAsync(BackupPlan plan)
    {
        var waiting = new Queue<(string Component, string Unit)>(
            plan.Components.Where(c => c.Failure is null).OrderBy(c => c.Component == "postgres" ? 0 : 1) // the long one first
                .SelectMany(c => c.Units.Select(u => (c.Component, u.Unit))));
        var heartbeat = context.WaitForExternalEvent<Heartbeat>(InstanceEvents.Heartbeat);
        var cancelling = false;
        while (true)
        {
            while (!cancel.IsCompleted && _running.Count < plan.UnitsInFlight && waiting.TryDequeue(out var next))
                if (!board.HasFailed(next.Component)) Start(next.Component, next.Unit);
            if (cancel.IsCompleted && !cancelling)
            {
                // Activities see this, wherever they run.
                cancelling = true;
                board.Show(BackupPhase.Cancelling);
            }

            if (_running.Count == 0) return;
            await Task.WhenAny([.. _running.Select(r => (Task)r.Task), heartbeat, .. cancelling ? Array.Empty<Task>() : [cancel]]);
            if (heartbeat.IsCompleted)
            {
                board.Beat(await heartbeat);
                heartbeat = context.WaitForExternalEvent<Heartbeat>(InstanceEvents.Heartbeat);
            }

            foreach (var ended in _running.FindAll(r => r.Task.IsCompleted)) board.EndUnit(ended.Component, await ResultAsync(ended.Task, ended.Unit));
            _running.RemoveAll(r => r.Task.IsCompleted);
            board.Show(cancelling ? BackupPhase.Cancelling : BackupPhase.Storing);
        }
    }

    private void Start(string component, string unit)
    {
        var activity = component switch
        {
            "postgres" => nameof(StorePostgresUnit),
            "redis" => nameof(StoreRedisUnit),
            "livekit" => nameof(StoreLiveKitUnit),
            _ => nameof(StoreFilesUnit),
        };
        var request = new UnitRequest(context.InstanceId, runId, component, unit);
        _running.Add((context.CallActivityAsync<UnitResult>(activity, request, Retrying.Default), component, unit));
        board.StartUnit(component);
    }

    private static async Task<UnitResult> ResultAsync(Task<UnitResult> task, string unit)
    {
        try
        {
            return await task;
        }
        catch (TaskFailedException e)
        {
            return new UnitResult { Unit = unit, Failure = Failures.Of(e) };
        }
    }
}
