using FunctionsBackup.Orchestrations.Instances;
using Microsoft.DurableTask.Client;

namespace FunctionsBackup.Cli.Running.Work;

/// <summary>Stays with an instance until it ends: shows how far it is, and on a signal cancels it or leaves it, as was asked.</summary>
internal static class WorkRun
{
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(1);

    /// <summary>The result of an instance that this command started or found running.</summary>
    /// <param name="context">The command.</param>
    /// <param name="host">The engine.</param>
    /// <param name="instanceId">Which.</param>
    /// <param name="title">What the progress is called.</param>
    /// <param name="cancellationToken">A signal.</param>
    /// <exception cref="OperationCanceledException">It was cancelled or left.</exception>
    /// <exception cref="WorkFailedException">The orchestration itself failed or was terminated.</exception>
    public static async Task<TResult> FollowAsync<TResult>(
        CommandContext context, WorkHost host, string instanceId, string title, CancellationToken cancellationToken)
        where TResult : class
    {
        if (await host.Client.GetInstanceAsync(instanceId, cancellationToken) is { RuntimeStatus: OrchestrationRuntimeStatus.Suspended })
            context.Printer.Note($"{instanceId} is suspended; 'fbackup work resume {instanceId}' lets it go on.");
        using var gone = new CancellationTokenSource();
        var ended = host.Client.WaitForInstanceCompletionAsync(instanceId, getInputsAndOutputs: true, gone.Token);
        var progress = new WorkProgressView(context, instanceId, title, host.WorksHere);
        var showing = progress.ShowAsync(host.Client, Look, gone.Token);
        try
        {
            await ((Task)ended).WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!ended.IsCompleted) await InterruptAsync(context, host, instanceId, ended);
            return Read<TResult>(await ended);
        }
        finally
        {
            await gone.CancelAsync();
            await showing;
            context.Printer.EndProgress();
        }
    }

    /// <summary>What an ended instance came to.</summary>
    /// <exception cref="WorkFailedException">The orchestration itself failed or was terminated.</exception>
    public static TResult Read<TResult>(OrchestrationMetadata instance)
        where TResult : class => instance.RuntimeStatus switch
        {
            OrchestrationRuntimeStatus.Completed when instance.ReadOutputAs<TResult>() is { } result => result,
            OrchestrationRuntimeStatus.Terminated => throw new WorkFailedException(
                $"{instance.InstanceId} was terminated; what was not committed is not visible, and the same command starts afresh."),
            _ => throw new WorkFailedException(
                $"{instance.InstanceId} failed: {instance.FailureDetails?.ErrorMessage.Split('\n')[0] ?? "it has no result"}"),
        };

    private static async Task InterruptAsync(CommandContext context, WorkHost host, string instanceId, Task<OrchestrationMetadata> ended)
    {
        if (context.Arguments.GetValue(WorkOptions.OnInterrupt) == WorkOptions.Detach)
        {
            context.Printer.Note(host.WorksHere
                ? $"Left: {instanceId} rests where it is; 'fbackup work follow {instanceId}' or 'fbackup serve' goes on with it."
                : $"Left: {instanceId} goes on; 'fbackup work follow {instanceId}' comes back to it.");
            throw new OperationCanceledException();
        }

        context.Printer.Note($"Cancelling {instanceId}; once more ends this at once.");
        await Instance.CancelAsync(host.Client, instanceId, "interrupted at the command line", CancellationToken.None);
        await ended;
    }
}

/// <summary>An orchestration ended without a result. The message is one sentence.</summary>
internal sealed class WorkFailedException(string message) : Exception(message);
