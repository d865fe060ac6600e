using FunctionsBackup.Components.PostgreSql;

namespace FunctionsBackup.Tests.Components.PostgreSql.Restore;

internal static class SampleDetails
{
    public static PostgresBackupDetails Of(int major, params PostgresTablespace[] tablespaces) => new()
    {
        SystemIdentifier = "7345678901234567890",
        ServerVersion = major * 10000,
        Timeline = 1,
        StartLsn = "0/2000028",
        StopLsn = "0/2000138",
        StartTime = DateTimeOffset.UnixEpoch,
        StopTime = DateTimeOffset.UnixEpoch.AddSeconds(1),
        WalSegmentSize = 16 << 20,
        Mode = "direct",
        Tablespaces = tablespaces,
    };
}
