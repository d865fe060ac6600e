namespace FunctionsBackup.Tests.Servers;

/// <summary>Where scripts/install-test-servers.sh unpacks servers and tools of newer releases.</summary>
public static class TestCache
{
    /// <summary>The cache directory; same rule as in the script.</summary>
    public static string Directory { get; } =
        Environment.GetEnvironmentVariable("FBACKUP_TEST_CACHE") is { Length: > 0 } named ? named
        : Environment.IsPrivilegedProcess ? "/var/cache/fbackup-tests"
        : Path.Combine(
            Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } home
                ? home
                : Path.Combine(Environment.GetEnvironmentVariable("HOME") ?? "/", ".cache"),
            "fbackup-tests");

    /// <summary>A program of Debian trixie that runs as it is: <c>pgbackrest</c>, <c>restic</c>, <c>redis-server</c>, <c>redis-cli</c>.</summary>
    /// <exception cref="InvalidOperationException">It is not there.</exception>
    public static string TrixieProgram(string name)
    {
        var path = Path.Combine(Directory, "trixie/usr/bin", name);
        return File.Exists(path) ? path : throw new InvalidOperationException($"{path} is missing; run scripts/install-test-servers.sh.");
    }
}
