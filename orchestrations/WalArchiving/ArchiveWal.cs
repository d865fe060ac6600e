using FunctionsBackup.Components.PostgreSql;
using FunctionsBackup.Components.PostgreSql.Wal;
using FunctionsBackup.Components.PostgreSql.Wal.Receiving;
using FunctionsBackup.Operations.Configuration;
using FunctionsBackup.Orchestrations.Instances;
using FunctionsBackup.Orchestrations.Site;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;

namespace FunctionsBackup.Orchestrations.WalArchiving;

/// <summary>Input of <see cref="ArchiveWal"/>.</summary>
/// <param name="InstanceId">The orchestration that asks.</param>
/// <param name="Request">What it was asked for, with the result of the last pass.</param>
public sealed record ArchiveWalRequest(string InstanceId, WalArchivingRequest Request);

/// <summary>One pass of WAL archiving: streams from the server's slot into the archive for a while, and measures how far behind it is.</summary>
public sealed class ArchiveWal(BackupSite site)
{
    [Function(nameof(ArchiveWal))]
    public async Task<WalArchivingStatus> Run(
        [ActivityTrigger] ArchiveWalRequest input, [DurableClient] DurableTaskClient client, CancellationToken cancellationToken)
    {
        var (instanceId, request) = (input.InstanceId, input.Request);
        await using var watch = new ActivityWatch(site, client, instanceId, request.Component, "wal", cancellationToken);
        WalArchivingStatus status;
        try
        {
            status = await PassAsync(request, watch.Token);
        }
        catch (Exception e) when (e is not OperationCanceledException || watch.IsCalledOff)
        {
            // This goes on for ever: a failure is a state of it, and the next pass comes.
            status = Unknown(request, Failures.Of(e));
        }

        site.Metrics.RecordWal(request.Component, status);
        return status;
    }

    private async Task<WalArchivingStatus> PassAsync(WalArchivingRequest request, CancellationToken cancellationToken)
    {
        var settings = site.Configuration.Postgres
            ?? throw new ConfigurationException($"postgres is not configured; add components.postgres to {site.Configuration.File}.");
        var options = new WalReceiverOptions(site.Secrets.Resolve(settings.Connection, "components.postgres.connection"))
        {
            SlotName = settings.WalSlot,
        };
        await using var lease = await site.Repositories.RentRecordsAsync(cancellationToken);
        WalArchive? archive = null;
        var receiver = new WalReceiver(
            options, (system, _) => ValueTask.FromResult(archive = new WalArchive(lease.Repository, system)), site.Time);
        var meter = new RpoMeter();
        if (request.Last is { UnarchivedSince: { } since, ServerLsn: { } end } && Lsn.TryParse(end, out var lsn)) meter.Resume(since, lsn);
        var last = new WalReceiverStatus();
        receiver.StatusChanged += now =>
        {
            last = now;
            meter.Note(now, site.Time.GetUtcNow());
        };
        using var pass = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var over = new CancellationTokenSource(TimeSpan.FromSeconds(Math.Clamp(request.PassSeconds, 1, 3600)), site.Time);
        await using var link = over.Token.Register(pass.Cancel);
        await receiver.RunAsync(pass.Token);
        // A server that rests sends nothing: that it said where it is, is enough.
        if (last.Timeline == 0) return Unknown(request, new Failure(FailureKind.Failed, last.LastProblem ?? "The server could not be reached."));
        var at = site.Time.GetUtcNow();
        return new WalArchivingStatus
        {
            SystemIdentifier = archive?.SystemIdentifier,
            Timeline = last.Timeline,
            ArchivedLsn = last.Archived.ToString(),
            ServerLsn = last.ServerEnd.ToString(),
            LagBytes = (long)Math.Min(last.LagBytes, long.MaxValue),
            ActualRpoSeconds = meter.UnarchivedSince is { } unarchived ? Math.Max(0, (at - unarchived).TotalSeconds) : 0,
            UnarchivedSince = meter.UnarchivedSince,
            At = at,
            Problem = last.LastProblem is { } problem ? new Failure(FailureKind.Failed, problem) : null,
        };
    }

    /// <summary>The server was not reached: it may have written since the last time that it was.</summary>
    private WalArchivingStatus Unknown(WalArchivingRequest request, Failure problem)
    {
        var at = site.Time.GetUtcNow();
        var last = request.Last;
        var since = last?.UnarchivedSince ?? (last?.ActualRpoSeconds is not null ? last.At : null);
        return (last ?? new WalArchivingStatus()) with
        {
            Phase = "archiving",
            At = at,
            UnarchivedSince = since,
            ActualRpoSeconds = since is { } from ? Math.Max(0, (at - from).TotalSeconds) : null,
            Failures = request.Failures + 1,
            Problem = problem,
        };
    }
}
