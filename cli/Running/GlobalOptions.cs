using System.CommandLine;

namespace FunctionsBackup.Cli.Running;

/// <summary>The options that every command has.</summary>
internal static class GlobalOptions
{
    public const string DefaultFile = "./backup_config.yaml";

    public static Option<string?> Config { get; } = new("--config", "-c")
    {
        Description = $"The configuration file (default: FBACKUP_CONFIG, else {DefaultFile}).",
        HelpName = "FILE",
        Recursive = true,
    };

    public static Option<bool> Json { get; } = new("--json")
    {
        Description = "Print JSON on stdout: one document, or for long work one line per event, the last one the result.",
        Recursive = true,
    };

    public static Option<string?> RecoveryKeyFile { get; } = new("--recovery-key-file")
    {
        Description = "Open the repository with the recovery key in this file instead of the passphrase; init writes the new key to it.",
        HelpName = "FILE",
        Recursive = true,
    };
}
