using System.Text.Json;
using FunctionsBackup.Components;
using FunctionsBackup.Orchestrations.Site;
using Microsoft.DurableTask.Client;

namespace FunctionsBackup.Cli.Running.Work;

/// <summary>
/// How far an instance is: as fine as it comes where the work is done in this process, by the instance's custom status elsewhere.
/// </summary>
internal sealed class WorkProgressView(CommandContext context, string instanceId, string title, bool worksHere)
{
    public async Task ShowAsync(DurableTaskClient client, TimeSpan interval, CancellationToken cancellationToken)
    {
        if (context.Printer.Progress(title) is not { } progress) return;
        if (worksHere)
        {
            var board = context.Site.Progress;
            void Report(BoardEntry entry)
            {
                if (OfThis(entry.InstanceId)) progress.Report(Sum(board));
            }

            board.Reported += Report;
            await Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            board.Reported -= Report;
            return;
        }

        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                var instance = await client.GetInstanceAsync(instanceId, getInputsAndOutputs: true, cancellationToken);
                if (instance?.ReadCustomStatusAs<AnyStatus>() is { } status)
                    progress.Report(new WorkProgress(status.UnitsDone + status.FilesDone, status.UnitsTotal, status.BytesDone, status.BytesTotal, status.Phase));
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (JsonException)
            {
                // Written by another version: there is nothing to show.
            }

            await Task.Delay(interval, context.Time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Its own activities, and those of the sub-orchestrations that are named after it.</summary>
    private bool OfThis(string id) => id == instanceId || id.EndsWith("of-" + instanceId, StringComparison.Ordinal);

    private WorkProgress Sum(ProgressBoard board)
    {
        var (filesDone, filesTotal, bytesDone, bytesTotal) = (0L, 0L, 0L, 0L);
        foreach (var entry in board.List().Where(e => OfThis(e.InstanceId)))
        {
            filesDone += entry.Progress.FilesDone;
            filesTotal += entry.Progress.FilesTotal;
            bytesDone += entry.Progress.BytesDone;
            bytesTotal += entry.Progress.BytesTotal;
        }

        return new WorkProgress(filesDone, filesTotal, bytesDone, bytesTotal, title);
    }

    /// <summary>What the custom statuses of all orchestrations may have.</summary>
    private sealed record AnyStatus(
        string? Phase = null, int UnitsDone = 0, int UnitsTotal = 0, long FilesDone = 0, long BytesDone = 0, long BytesTotal = 0);
}
