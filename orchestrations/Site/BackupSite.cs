using FunctionsBackup.Components.Files;
using FunctionsBackup.Operations.Audit;
using FunctionsBackup.Operations.Configuration;
using FunctionsBackup.Orchestrations.Audit;
using FunctionsBackup.Repository.Writers;

namespace FunctionsBackup.Orchestrations.Site;

/// <summary>
/// What activities and commands of one process work with: configuration, secrets, clock, repository, and how far running work is. One per
/// process. Safe for concurrent use.
/// </summary>
public sealed class BackupSite : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private (BackupConfiguration Value, DateTime Written)? _configuration;

    public BackupSite(SiteOptions options, TimeProvider time)
    {
        Options = options;
        Time = time;
        Secrets = new SecretResolver(options.Environment, options.Warn);
        Repositories = new RepositoryPool(this);
        Progress = new ProgressBoard(time);
        Metrics = new SiteMetrics(time);
        Audit = new SiteAudit(this, options.StateFolder ?? StateFolder.FindOrTemporary(options.Environment, options.ConfigurationFile));
    }

    public SiteOptions Options { get; }

    public TimeProvider Time { get; }

    public SecretResolver Secrets { get; }

    public RepositoryPool Repositories { get; }

    public ProgressBoard Progress { get; }

    public SiteMetrics Metrics { get; }

    /// <summary>Who did what; see <see cref="AuditActions"/>.</summary>
    public SiteAudit Audit { get; }

    /// <summary>The configuration; read again when its file has changed.</summary>
    /// <exception cref="ConfigurationException">It cannot be used: every error that was found.</exception>
    public BackupConfiguration Configuration
    {
        get
        {
            lock (_gate)
            {
                // What cannot be looked at is left to the loader, which says so.
                var written = File.GetLastWriteTimeUtc(Options.ConfigurationFile);
                if (_configuration is not { } known || known.Written != written)
                    _configuration = known = (ConfigurationLoader.LoadFile(Options.ConfigurationFile, Options.Environment), written);
                return known.Value;
            }
        }
    }

    /// <summary>Whether this host holds a writer file only: it adds recovery points, and reads none.</summary>
    public bool IsWriteOnly => Options.RecoveryKeyFile is null && Configuration.Global.Encryption && Configuration.Keys.Writer is not null;

    /// <param name="what">What is asked for, as the beginning of a sentence.</param>
    /// <exception cref="WriteOnlyException">This host only writes.</exception>
    public void RequireKeys(string what)
    {
        if (IsWriteOnly) throw new WriteOnlyException(what);
    }

    /// <summary>How components of files are divided.</summary>
    public FilesPlannerOptions UnitSizes { get; init; } = new();

    public int Parallelism => Configuration.Global.ParallelJobs;

    public async ValueTask DisposeAsync()
    {
        await Audit.DisposeAsync();
        Metrics.Dispose();
        await Repositories.DisposeAsync();
    }
}
