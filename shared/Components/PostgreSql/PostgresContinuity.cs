namespace FunctionsBackup.Components.PostgreSql;

/// <summary>
/// What a backup beside the server leaves behind, for the next one to see that the server's history since then is one and the same: neither
/// was the server restarted, nor was the machine put back to a state from before the end of this backup.
/// </summary>
/// <param name="ServerStartedMicroseconds">When the server's process began, microseconds since 1970-01-01 UTC by its clock.</param>
/// <param name="SlotsDevice">Device of <c>pg_replslot</c>.</param>
/// <param name="SlotsInode">Its inode.</param>
/// <param name="SlotsChangedNanoseconds">
/// Its change time after the backup's own replication slot was dropped, which was the last thing that the backup did to the server. No one
/// can set it, and a state from before cannot have it.
/// </param>
public sealed record PostgresContinuity(long ServerStartedMicroseconds, ulong SlotsDevice, ulong SlotsInode, long SlotsChangedNanoseconds);
