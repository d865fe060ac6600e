using FunctionsBackup.Functions.Access;
using FunctionsBackup.Functions.Http;
using FunctionsBackup.Operations.Configuration;
using FunctionsBackup.Orchestrations.Restore;
using Microsoft.AspNetCore.Http;

namespace FunctionsBackup.Functions.Api;

/// <summary>Where a restore over HTTP may not write, whatever else checks it later.</summary>
internal static class RestoreTargets
{
    /// <summary>Folders that hold the system, not data.</summary>
    private static readonly string[] System =
        ["/bin", "/boot", "/dev", "/etc", "/lib", "/lib32", "/lib64", "/libx32", "/proc", "/root", "/run", "/sbin", "/sys", "/usr", "/var/run"];

    /// <summary>Whether the restore goes into something that runs.</summary>
    public static bool IsLive(string component, string target) => (component, target) is ("livekit", LiveKitRestores.Server) or ("redis", RedisRestores.Server) or ("postgres", LogicalRestores.Server) or ("configuration", KubernetesRestores.Target);

    /// <summary>What replaces data that is there is a human decision of its own, as recovery's are.</summary>
    /// <exception cref="ProblemException">The caller may not.</exception>
    public static void RequireApprover(Caller caller, bool replaces, string how)
    {
        if (replaces && !(caller.Role >= ApiRole.Approver))
            throw new ProblemException(
                StatusCodes.Status403Forbidden,
                $"A restore that may replace what is there ({how}) needs the role approver; restore into an empty folder, or ask one.");
    }

    /// <exception cref="ProblemException">It is no place to restore to.</exception>
    public static void Check(BackupConfiguration configuration, string component, string target)
    {
        if (IsLive(component, target)) return;
        if (target.Length <= 4096 && BucketTarget.Parse(target) is { } bucket)
        {
            if (configuration.Buckets.All(b => b.Name != bucket.Name))
                throw ProblemException.BadRequest("There is no such bucket under buckets in the configuration.");
            return;
        }

        CheckFolder(configuration, target);
    }

    /// <exception cref="ProblemException">It is no folder to restore to.</exception>
    public static void CheckFolder(BackupConfiguration configuration, string target)
    {
        if (target.Length > 4096 || target.Any(char.IsControl) || !Path.IsPathFullyQualified(target))
            throw ProblemException.BadRequest("The target must be an absolute path.");
        if (target.Split('/').Any(part => part is ".." or "."))
            throw ProblemException.BadRequest("The target must not have '.' or '..' in it; write the path out.");
        // Links too: a folder in a harmless place may lead into another.
        foreach (var path in new[] { Path.GetFullPath(target), Resolve(Path.GetFullPath(target)) })
        {
            if (path == "/" || System.Any(folder => Within(path, folder)))
                throw ProblemException.BadRequest("The target is in a folder of the system; restore into a folder for data.");
            if (configuration.Global.StorageBackend == "filesystem"
                && (Within(path, configuration.Storage.Path) || Within(configuration.Storage.Path, path)))
                throw ProblemException.BadRequest("The target and the repository lie within each other; restore elsewhere.");
            if (Within(configuration.Folder, path)) throw ProblemException.BadRequest("The target holds the configuration; restore elsewhere.");
        }
    }

    private static bool Within(string path, string folder) =>
        path == folder || path.StartsWith(folder.TrimEnd('/') + "/", StringComparison.Ordinal);

    /// <summary>The path with the links of what exists of it followed.</summary>
    private static string Resolve(string path)
    {
        var resolved = "/";
        foreach (var part in path.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            var next = Path.Combine(resolved, part);
            try
            {
                resolved = new DirectoryInfo(next).ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? next;
            }
            catch (IOException)
            {
                resolved = next; // a circle of links, which no restore can write to either
            }
        }

        return resolved;
    }
}
