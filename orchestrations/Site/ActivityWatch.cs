using FunctionsBackup.Components;
using FunctionsBackup.Orchestrations.Instances;
using Microsoft.DurableTask.Client;

namespace FunctionsBackup.Orchestrations.Site;

/// <summary>
/// Stays beside a long activity: tells its orchestration how far it is, more and more rarely, and looks whether the orchestration has been
/// cancelled or has ended, wherever both run.
/// </summary>
public sealed class ActivityWatch : IProgress<WorkProgress>, IAsyncDisposable
{
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan FirstBeat = TimeSpan.FromSeconds(5);
    private const double BeatShare = 0.02;

    private readonly BackupSite _site;
    private readonly DurableTaskClient _client;
    private readonly string _instanceId, _component, _work;
    private readonly CancellationTokenSource _stop;
    private readonly CancellationTokenSource _ended = new();
    private readonly Task _looking;
    private WorkProgress _progress;
    private bool _calledOff;

    public ActivityWatch(
        BackupSite site, DurableTaskClient client, string instanceId, string component, string work, CancellationToken cancellationToken)
    {
        (_site, _client, _instanceId, _component, _work) = (site, client, instanceId, component, work);
        _stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        _looking = Task.Run(LookAsync, CancellationToken.None);
    }

    /// <summary>Cancelled when the host stops, or the orchestration is cancelled or has ended.</summary>
    public CancellationToken Token => _stop.Token;

    /// <summary>Whether it was the orchestration: then the work is not to be done again.</summary>
    public bool IsCalledOff => Volatile.Read(ref _calledOff);

    public void Report(WorkProgress value)
    {
        lock (_ended) _progress = value;
        _site.Progress.Report(_instanceId, _component, _work, value);
    }

    public async ValueTask DisposeAsync()
    {
        await _ended.CancelAsync();
        await _looking;
        _site.Progress.Remove(_instanceId, _work);
        _stop.Dispose();
        _ended.Dispose();
    }

    private async Task LookAsync()
    {
        var began = _site.Time.GetTimestamp();
        var beat = began;
        while (true)
        {
            await Task.Delay(Look, _site.Time, _ended.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (_ended.IsCancellationRequested || _stop.IsCancellationRequested) return;
            try
            {
                var instance = await _client.GetInstanceAsync(_instanceId, getInputsAndOutputs: true, _ended.Token);
                if (instance is null || instance.IsCompleted || IsCancelling(instance))
                {
                    Volatile.Write(ref _calledOff, true);
                    await _stop.CancelAsync();
                    return;
                }

                var elapsed = _site.Time.GetElapsedTime(began);
                var interval = elapsed * BeatShare > FirstBeat ? elapsed * BeatShare : FirstBeat;
                if (_site.Time.GetElapsedTime(beat) < interval) continue;
                beat = _site.Time.GetTimestamp();
                WorkProgress progress;
                lock (_ended) progress = _progress;
                var payload = new Heartbeat(_component, _work, _site.Time.GetUtcNow(), progress.FilesDone, progress.BytesDone, progress.BytesTotal);
                await _client.RaiseEventAsync(_instanceId, InstanceEvents.Heartbeat, payload, _ended.Token);
            }
            catch (OperationCanceledException)
            {
                return;
            }
#pragma warning disable CA1031 // The engine may be out of reach for a while: that must not harm the work, and the next look comes soon.
            catch (Exception)
#pragma warning restore CA1031
            {
                continue;
            }
        }
    }

    private static bool IsCancelling(OrchestrationMetadata instance)
    {
        try
        {
            return instance.ReadCustomStatusAs<PhaseOnly>()?.Phase == "cancelling";
        }
        catch (System.Text.Json.JsonException)
        {
            return false; // written by another version
        }
    }

    /// <summary>What all custom statuses have in common.</summary>
    private sealed record PhaseOnly(string? Phase);
}
