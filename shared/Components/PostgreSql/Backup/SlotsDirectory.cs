using FunctionsBackup.Components.Posix;

namespace FunctionsBackup.Components.PostgreSql.Backup;

/// <summary>Looks at <c>pg_replslot</c>, whose change time tells when a replication slot was last made or dropped.</summary>
internal static class SlotsDirectory
{
    /// <summary>As it is now; null if it cannot be seen.</summary>
    /// <param name="dataDirectory">The server's.</param>
    /// <param name="serverStarted">When the server's process began, microseconds since 1970-01-01 UTC.</param>
    public static PostgresContinuity? Look(string dataDirectory, long serverStarted)
    {
        if (PathCalls.OpenDirectory(ByteName.Parse(Path.Combine(dataDirectory, "pg_replslot")), out var opened) != PosixError.None) return null;
        using var directory = opened!;
        return FileCalls.Status(directory, out var status) == PosixError.None
            ? new PostgresContinuity(serverStarted, status.Device, status.Inode, status.ChangedNanoseconds)
            : null;
    }
}
