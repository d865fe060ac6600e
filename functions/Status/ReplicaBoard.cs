using FunctionsBackup.Operations.Configuration;
using FunctionsBackup.Orchestrations.Replication;
using FunctionsBackup.Orchestrations.Site;

namespace FunctionsBackup.Functions.Status;

/// <summary>
/// How the replicas stand, found out at most every few minutes however many ask: it takes a listing of both sides. One that does not answer
/// soon holds nobody up.
/// </summary>
public sealed class ReplicaBoard(BackupSite site) : IDisposable
{
    /// <summary>How old an answer may be.</summary>
    public static readonly TimeSpan MaximumAge = TimeSpan.FromMinutes(5);

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly SemaphoreSlim _gate = new(1, 1);
    private (BackupConfiguration Of, long Found, IReadOnlyList<ReplicaView> Views)? _known;

    public async Task<IReadOnlyList<ReplicaView>> GetAsync(CancellationToken cancellationToken)
    {
        var configuration = site.Configuration;
        if (configuration.Replicas.Count == 0) return [];
        await _gate.WaitAsync(cancellationToken);
        try
        {
            if (_known is { } known && known.Of == configuration && site.Time.GetElapsedTime(known.Found) < MaximumAge) return known.Views;
            await using var lease = await site.Repositories.RentRecordsAsync(cancellationToken);
            var standings = await Task.WhenAll(configuration.Replicas.Select(r => FindAsync(lease, r, cancellationToken)));
            IReadOnlyList<ReplicaView> views = [.. standings.Select(ReplicaView.Of)];
            _known = (configuration, site.Time.GetTimestamp(), views);
            return views;
        }
        finally
        {
            _gate.Release();
        }
    }

    public void Dispose() => _gate.Dispose();

    private async Task<ReplicaStanding> FindAsync(RepositoryLease lease, ReplicaSettings replica, CancellationToken cancellationToken)
    {
        using var late = new CancellationTokenSource(Patience, site.Time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancellationToken);
        try
        {
            return await ReplicaStanding.OfAsync(site, lease.Repository, replica, linked.Token);
        }
        catch (OperationCanceledException) when (late.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            return new ReplicaStanding(
                replica.Name, "unreachable", null, TimeSpan.Zero,
                $"Replica {replica.Name} did not answer within {Patience.TotalSeconds:0} seconds; 'fbackup status' waits for it longer.");
        }
    }
}
