using FunctionsBackup.Benchmarks.Compare.Processes;

namespace FunctionsBackup.Benchmarks.Compare.Contenders;

/// <summary>This product on files.</summary>
public sealed class ProductFiles(string program, string work, string tree) : IFilesContender
{
    private readonly ProductRepository _product =
        new(program, work, "fbackup-files", $"voice_data: {{ paths: [ \"{tree}\" ] }}", asPostgres: false);

    public string Name => "fbackup";

    public string Repository => _product.Folder;

    public async Task<string> VersionAsync(CancellationToken cancellationToken) =>
        (await new Command(program, "--version").RunAsync(cancellationToken)).Trim();

    public Task InitializeAsync(CancellationToken cancellationToken) => _product.InitializeAsync(cancellationToken);

    public Command Backup() => _product.Run("backup", "run", "--verify", "none", "--type", "voice_data");

    public Command Restore(string target) => _product.Run("restore", "voice_data", "latest", "--target", target);

    public Command Verify() => _product.Run("backup", "verify", "all", "--level", "full");
}
