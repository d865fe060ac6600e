using System.Security.Cryptography;
using System.Text;
using FunctionsBackup.Operations.Configuration;

namespace FunctionsBackup.Orchestrations.Site;

/// <summary>Finds the folder in which a site keeps what is this machine's own.</summary>
public static class StateFolder
{
    /// <summary>The variable that names it.</summary>
    public const string Variable = "FBACKUP_STATE";

    /// <summary>
    /// <c>FBACKUP_STATE</c>, else in the user's state folder a folder of the configuration's own, so that two sites on one machine never do
    /// each other's work.
    /// </summary>
    /// <param name="environment">The variables of the process.</param>
    /// <param name="configurationFile">The site's configuration.</param>
    /// <exception cref="ConfigurationException">There is no folder for it.</exception>
    public static string Find(IReadOnlyDictionary<string, string> environment, string configurationFile)
    {
        if (environment.GetValueOrDefault(Variable) is { Length: > 0 } named) return Path.GetFullPath(named);
        if (environment.GetValueOrDefault("XDG_STATE_HOME") is { Length: > 0 } state)
            return Path.Combine(state, "fbackup", "sites", SiteOf(configurationFile));
        return environment.GetValueOrDefault("HOME") is { Length: > 1 } home
            ? Path.Combine(home, ".local/state/fbackup/sites", SiteOf(configurationFile))
            : throw new ConfigurationException("There is no folder for state; set FBACKUP_STATE to one that this user can write.");
    }

    /// <summary>The same; where there is none, a folder of the user's own among the temporary files.</summary>
    public static string FindOrTemporary(IReadOnlyDictionary<string, string> environment, string configurationFile)
    {
        try
        {
            return Find(environment, configurationFile);
        }
        catch (ConfigurationException)
        {
            return Path.Combine(Path.GetTempPath(), $"fbackup-{Environment.UserName}", "sites", SiteOf(configurationFile));
        }
    }

    private static string SiteOf(string configurationFile) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Path.GetFullPath(configurationFile))).AsSpan(0, 8));
}
