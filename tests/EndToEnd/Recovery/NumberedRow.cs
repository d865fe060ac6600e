using FunctionsBackup.Components.PostgreSql;

namespace FunctionsBackup.Tests.EndToEnd.Recovery;

/// <summary>A committed row, and where and when it was.</summary>
/// <param name="Number">From 1, without gaps.</param>
/// <param name="After">The server's insert position after the commit: the commit record ends at or before it, the next begins at or after it.</param>
/// <param name="Commit">pg_xact_commit_timestamp: what the commit record says, in microseconds.</param>
/// <param name="Xid">Its transaction.</param>
internal sealed record NumberedRow(int Number, Lsn After, DateTimeOffset Commit, uint Xid);
