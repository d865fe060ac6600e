using FunctionsBackup.Benchmarks.Compare.Processes;

namespace FunctionsBackup.Benchmarks.Compare.Contenders;

/// <summary>restic: zstd by default (<c>auto</c>), two threads for Go code. Its restore does not flush, so a flush is added.</summary>
public sealed class Restic(string program, string work, string tree) : IFilesContender
{
    private readonly string _cache = Path.Combine(work, "restic-cache");

    public string Name => "restic";

    public string Repository { get; } = Path.Combine(work, "restic");

    public async Task<string> VersionAsync(CancellationToken cancellationToken) =>
        (await Run("version").RunAsync(cancellationToken)).Split(' ')[1];

    public async Task InitializeAsync(CancellationToken cancellationToken)
    {
        foreach (var directory in new[] { Repository, _cache })
            if (Directory.Exists(directory)) Directory.Delete(directory, recursive: true);
        await Run("init").RunAsync(cancellationToken);
    }

    public Command Backup() => Run("backup", "--no-scan", tree);

    public Command Restore(string target) => Run("restore", $"latest:{tree}", "--target", target) with { ThenSync = target };

    public Command Verify() => Run("check", "--read-data");

    private Command Run(params IReadOnlyList<string> arguments) => new(program, [.. arguments.Take(1), "--quiet", .. arguments.Skip(1)])
    {
        Environment = new Dictionary<string, string>
        {
            ["RESTIC_REPOSITORY"] = Repository,
            ["RESTIC_PASSWORD"] = "a passphrase for the comparison",
            ["RESTIC_CACHE_DIR"] = _cache,
            ["RESTIC_COMPRESSION"] = "auto",
            ["GOMAXPROCS"] = "2",
            ["HOME"] = work,
        },
    };
}
