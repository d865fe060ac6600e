using FunctionsBackup.Components.Files;
using FunctionsBackup.Components.Files.Buckets;
using FunctionsBackup.Operations.Configuration;
using FunctionsBackup.Orchestrations.Site;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Runs;
using Microsoft.Azure.Functions.Worker;

namespace FunctionsBackup.Orchestrations.Backup;

/// <summary>Divides a backup into units. The plan stays in the repository with the run; doing it again finds it.</summary>
public sealed class PlanBackup(BackupSite site)
{
    [Function(nameof(PlanBackup))]
    public async Task<BackupPlan> Run([ActivityTrigger] PlanRequest request, CancellationToken cancellationToken)
    {
        try
        {
            var startedAt = site.Time.GetUtcNow();
            await using var lease = await site.Repositories.RentAsync(request.RunId, cancellationToken);
            var run = await new BackupRuns(lease.Repository).BeginAsync(
                request.RunId, startedAt, async token => (await PlanAsync(request, lease.Repository, token)).ToBytes(), cancellationToken);
            return StoredPlan.Read(run).Summary;
        }
        catch (Exception e) when (!Failures.IsWorthRetrying(e) && e is not OperationCanceledException)
        {
            var failure = Failures.Of(e);
            return new BackupPlan { Components = [.. request.Components.Select(c => new ComponentPlan { Component = c, Failure = failure })] };
        }
    }

    private async Task<StoredPlan> PlanAsync(PlanRequest request, BackupRepository repository, CancellationToken cancellationToken)
    {
        var configuration = site.Configuration;
        var (components, files) = (new List<ComponentPlan>(), new List<FilesPlan>());
        foreach (var component in request.Components)
        {
            try
            {
                if (component == "postgres")
                {
                    if (configuration.Postgres is null) throw NotConfigured(configuration, component);
                    components.Add(new ComponentPlan { Component = component, Units = [new UnitPlan(StoredPlan.UnitName(component, 0), 0, 0)] });
                    continue;
                }

                if (component is "livekit" or "redis")
                {
                    if (component == "livekit" ? configuration.LiveKit is null : configuration.Redis is null) throw NotConfigured(configuration, component);
                    components.Add(new ComponentPlan { Component = component, Units = [new UnitPlan(StoredPlan.UnitName(component, 0), 0, 0)] });
                    continue;
                }

                var settings = configuration.Files(component) ?? throw NotConfigured(configuration, component);
                var options = new FilesBackupOptions(component, settings.Paths)
                {
                    Include = settings.Include, Exclude = settings.Exclude, Subjects = settings.Subjects, Full = request.Full, Parallelism = site.Parallelism,
                    AppendOnly = settings.AppendOnly,
                };
                using var sources = component == "configuration" ? ConfigurationSources.Open(site) : ConfigurationSources.None;
                if (sources.All.Count > 0 && settings.Buckets.Count > 0)
                    throw new ConfigurationException("components.configuration has buckets and other sources; take the buckets as another component, logs or voice_data.");
                var plan = settings.Buckets.Count > 0
                    ? await new BucketBackup(repository, site.Time).PlanAsync(options, await DescribeAsync(settings.Buckets), cancellationToken)
                    : await new FilesPlanner(new FilesBackup(repository, site.Time) { Sources = sources.All }).PlanAsync(options, site.UnitSizes, cancellationToken);
                files.Add(plan);
                components.Add(new ComponentPlan
                {
                    Component = component,
                    Units = [.. plan.Units.Select((u, i) => new UnitPlan(StoredPlan.UnitName(component, i), u.Bytes, u.Entries))],
                });
            }
            catch (Exception e) when (!Failures.IsWorthRetrying(e) && e is not OperationCanceledException)
            {
                components.Add(new ComponentPlan { Component = component, Failure = Failures.Of(e) });
            }
        }

        var summary = new BackupPlan { Components = components, UnitsInFlight = Math.Max(1, site.Parallelism) };
        return new StoredPlan { Files = files, Full = request.Full, Summary = summary };
    }

    /// <summary>Names of buckets, with where they are; nothing is asked of the services yet.</summary>
    private async Task<Dictionary<string, string>> DescribeAsync(IReadOnlyList<string> names)
    {
        var buckets = new Dictionary<string, string>();
        foreach (var name in names)
        {
            await using var bucket = StoreFactory.OpenBucket(site.Configuration, name, site.Secrets, site.Time);
            buckets.Add(name, bucket.Description);
        }

        return buckets;
    }

    private static ConfigurationException NotConfigured(BackupConfiguration configuration, string component) =>
        new($"{component} is not configured; add components.{component} to {configuration.File}.");
}
