using FunctionsBackup.Orchestrations.Standing;
using FunctionsBackup.Repository;

namespace FunctionsBackup.Cli.Running;

/// <summary>What a repository has lost that the command at hand works without, so that nobody takes what is left for all there was.</summary>
internal static class RepositoryWarnings
{
    /// <summary>Says it, and what is wrong with the index.</summary>
    /// <returns>Whether there was anything to say.</returns>
    public static async ValueTask<bool> SayAsync(
        CommandContext context, BackupRepository repository, string? component, CancellationToken cancellationToken)
    {
        var warnings = (await LostRecords.DescribeAsync(repository, component, cancellationToken)).Concat(repository.IndexWarnings).ToList();
        foreach (var warning in warnings) context.Printer.Warn(warning);
        return warnings.Count > 0;
    }
}
