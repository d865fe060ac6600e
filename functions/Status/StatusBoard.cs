using FunctionsBackup.Orchestrations.Site;
using FunctionsBackup.Orchestrations.Standing;

namespace FunctionsBackup.Functions.Status;

/// <summary>
/// How the site stands, found out at most every few seconds however many ask: to look through a repository costs requests. Those who come
/// while it is being found out wait for that one answer.
/// </summary>
public sealed class StatusBoard(BackupSite site) : IDisposable
{
    /// <summary>How old an answer may be.</summary>
    public static readonly TimeSpan MaximumAge = TimeSpan.FromSeconds(10);

    private readonly SemaphoreSlim _gate = new(1, 1);
    private SiteStatus? _status;
    private long _found;

    public async Task<SiteStatus> GetAsync(CancellationToken cancellationToken)
    {
        if (IsFresh(out var known)) return known!;
        await _gate.WaitAsync(cancellationToken);
        try
        {
            if (IsFresh(out known)) return known!;
            _status = await FindAsync(cancellationToken);
            Interlocked.Exchange(ref _found, site.Time.GetTimestamp());
            return _status;
        }
        finally
        {
            _gate.Release();
        }
    }

    public void Dispose() => _gate.Dispose();

    private bool IsFresh(out SiteStatus? status)
    {
        status = Volatile.Read(ref _status);
        return status is not null && site.Time.GetElapsedTime(Interlocked.Read(ref _found)) < MaximumAge;
    }

    private async Task<SiteStatus> FindAsync(CancellationToken cancellationToken)
    {
        var components = ProtectedComponents.Of(site.Configuration);
        if (components.Count == 0) return new SiteStatus(false, site.Time.GetUtcNow(), []);
        await using var lease = await site.Repositories.RentRecordsAsync(cancellationToken);
        var damaged = await ComponentStanding.FindDamagedAsync(lease.Repository, cancellationToken);
        var views = new List<ComponentView>();
        foreach (var component in components)
        {
            var standing = await ComponentStanding.OfAsync(site, lease.Repository, component, damaged, cancellationToken);
            site.Metrics.RecordStanding(standing);
            views.Add(ComponentView.Of(standing));
        }

        return new SiteStatus(views.All(v => v.Well), site.Time.GetUtcNow(), views);
    }
}
