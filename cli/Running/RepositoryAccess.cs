using FunctionsBackup.Operations.Configuration;
using FunctionsBackup.Repository;

namespace FunctionsBackup.Cli.Running;

/// <summary>From the configuration to an open repository.</summary>
internal static class RepositoryAccess
{
    public static ValueTask<BackupRepository> OpenAsync(CommandContext context, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var backend = context.Configuration.Global.StorageBackend;
        if (backend != "filesystem")
            throw new ConfigurationException($"{backend} repositories are not available in this version; use storage_backend: filesystem.");
        throw new RepositoryException("Repositories cannot be opened yet.");
    }
}
