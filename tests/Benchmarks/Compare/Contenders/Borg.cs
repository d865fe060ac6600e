using FunctionsBackup.Benchmarks.Compare.Processes;

namespace FunctionsBackup.Benchmarks.Compare.Contenders;

/// <summary>BorgBackup: one thread by design. Its extract does not flush, so a flush is added.</summary>
public sealed class Borg(string work, string tree) : IFilesContender
{
    private readonly string _base = Path.Combine(work, "borg-base");
    private int _archives;

    public string Name => "borg";

    public string Repository { get; } = Path.Combine(work, "borg");

    public async Task<string> VersionAsync(CancellationToken cancellationToken) =>
        (await Run("--version").RunAsync(cancellationToken)).Trim().Split(' ')[1];

    public async Task InitializeAsync(CancellationToken cancellationToken)
    {
        foreach (var directory in new[] { Repository, _base })
            if (Directory.Exists(directory)) Directory.Delete(directory, recursive: true);
        await Run("init", "--encryption", "repokey-blake2", Repository).RunAsync(cancellationToken);
    }

    public Command Backup() => Run("create", "--compression", "zstd,3", $"{Repository}::a{++_archives}", ".") with { Directory = tree };

    public Command Restore(string target) => Run("extract", $"{Repository}::a{_archives}") with { Directory = target, ThenSync = target };

    public Command Verify() => Run("check", "--verify-data", Repository);

    private Command Run(params IReadOnlyList<string> arguments) => new("borg", arguments)
    {
        Environment = new Dictionary<string, string>
        {
            ["BORG_PASSPHRASE"] = "a passphrase for the comparison",
            ["BORG_BASE_DIR"] = _base,
            ["BORG_CHECK_I_KNOW_WHAT_I_AM_DOING"] = "YES",
        },
        Accept = [0, 1],
    };
}
