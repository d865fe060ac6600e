using System.CommandLine;
using FunctionsBackup.Cli.Output;
using FunctionsBackup.Operations.Configuration;
using FunctionsBackup.Repository;

namespace FunctionsBackup.Cli.Running;

/// <summary>What a command works with, opened when it is first asked for: configuration → store → repository.</summary>
internal sealed class CommandContext(ParseResult arguments, Printer printer, TimeProvider time) : IAsyncDisposable
{
    private readonly IReadOnlyDictionary<string, string> _environment = EnvironmentOverrides.OfProcess();
    private BackupConfiguration? _configuration;
    private BackupRepository? _repository;

    public ParseResult Arguments { get; } = arguments;

    public Printer Printer { get; } = printer;

    public TimeProvider Time { get; } = time;

    public string ConfigurationFile =>
        Arguments.GetValue(GlobalOptions.Config)
        ?? (_environment.TryGetValue("FBACKUP_CONFIG", out var file) && file.Length > 0 ? file : GlobalOptions.DefaultFile);

    public BackupConfiguration Configuration => _configuration ??= ConfigurationLoader.LoadFile(ConfigurationFile, _environment);

    public SecretResolver Secrets => field ??= new SecretResolver(_environment, Printer.Warn);

    public int Parallelism => Configuration.Global.ParallelJobs;

    public T? Get<T>(Option<T> option) => Arguments.GetValue(option);

    public T Get<T>(Argument<T> argument) => Arguments.GetRequiredValue(argument);

    /// <param name="cancellationToken">Stops opening.</param>
    /// <param name="index">False for commands that read only records and sealed objects: opens faster.</param>
    public async ValueTask<BackupRepository> OpenRepositoryAsync(CancellationToken cancellationToken, bool index = true) =>
        _repository ??= await RepositoryAccess.OpenAsync(
            this,
            new RepositoryOptions
            {
                Compression = RepositoryAccess.Compression(this), Time = Time, LoadIndex = index,
            },
            cancellationToken);

    public async ValueTask DisposeAsync()
    {
        if (_repository is not null) await _repository.DisposeAsync();
    }
}
