using System.CommandLine;
using FunctionsBackup.Cli.Output;
using FunctionsBackup.Cli.Running.Auditing;
using FunctionsBackup.Operations.Configuration;
using FunctionsBackup.Orchestrations.Site;
using FunctionsBackup.Repository;

namespace FunctionsBackup.Cli.Running;

/// <summary>What a command works with, opened when it is first asked for: configuration → store → repository.</summary>
internal sealed class CommandContext : IAsyncDisposable
{
    private readonly IReadOnlyDictionary<string, string> _environment = EnvironmentOverrides.OfProcess();
    private BackupSite? _site;
    private RepositoryLease? _repository;

    public CommandContext(ParseResult arguments, Printer printer, TimeProvider time)
    {
        (Arguments, Printer, Time) = (arguments, printer, time);
        Audit = new CommandAudit(this);
    }

    public ParseResult Arguments { get; }

    public Printer Printer { get; }

    public TimeProvider Time { get; }

    /// <summary>What the audit log will say of this command.</summary>
    public CommandAudit Audit { get; }

    /// <summary>The variables of the process.</summary>
    public IReadOnlyDictionary<string, string> Environment => _environment;

    public string ConfigurationFile => SiteOptions.FindFile(Arguments.GetValue(GlobalOptions.Config), _environment);

    /// <summary>Configuration, secrets and the way to the repository.</summary>
    public BackupSite Site => _site ??= new BackupSite(
        new SiteOptions(ConfigurationFile, _environment)
        {
            RecoveryKeyFile = Arguments.GetValue(GlobalOptions.RecoveryKeyFile), Warn = Printer.Warn, DeferAudit = true,
        },
        Time);

    public BackupConfiguration Configuration => Site.Configuration;

    public SecretResolver Secrets => Site.Secrets;

    public int Parallelism => Configuration.Global.ParallelJobs;

    public T? Get<T>(Option<T> option) => Arguments.GetValue(option);

    public T Get<T>(Argument<T> argument) => Arguments.GetRequiredValue(argument);

    /// <param name="cancellationToken">Stops opening.</param>
    /// <param name="index">False for commands that read only records and sealed objects: opens faster.</param>
    public async ValueTask<BackupRepository> OpenRepositoryAsync(CancellationToken cancellationToken, bool index = true)
    {
        Site.RequireKeys("This");
        _repository ??= index
            ? await Site.Repositories.RentAsync("command", cancellationToken)
            : await Site.Repositories.RentRecordsAsync(cancellationToken);
        return _repository.Repository;
    }

    /// <summary>Without its index, for commands that only add records: a host that only writes may.</summary>
    public async ValueTask<BackupRepository> OpenForAppendingAsync(CancellationToken cancellationToken) =>
        (_repository ??= await Site.Repositories.RentRecordsAsync(cancellationToken, appends: true)).Repository;

    /// <summary>The same for reading: with its replicas behind it, or one of them alone.</summary>
    public async ValueTask<BackupRepository> OpenForReadingAsync(string? replica, CancellationToken cancellationToken, bool index = true) =>
        (_repository ??= await Site.Repositories.RentForReadingAsync("command", replica, cancellationToken, index)).Repository;

    public async ValueTask DisposeAsync()
    {
        if (_repository is not null) await _repository.DisposeAsync();
        if (_site is not null) await _site.DisposeAsync();
    }
}
