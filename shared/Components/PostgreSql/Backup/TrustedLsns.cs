using FunctionsBackup.Components.Posix;
using FunctionsBackup.Components.PostgreSql.Pages;
using FunctionsBackup.Repository.Catalogs;

namespace FunctionsBackup.Components.PostgreSql.Backup;

/// <summary>
/// Of which files the pages' LSNs tell what changed since the parent: those of main forks whose every change is in the WAL and stamped on the
/// page, in databases that were not made anew by copying files. The reasons, case by case: docs/decisions/page-lsns.md.
/// </summary>
/// <param name="Rule">For their pages.</param>
/// <param name="Databases">OIDs of the databases that are the same as then; 0 stands for the shared catalogs.</param>
internal sealed record TrustedLsns(PageLsnRule Rule, IReadOnlySet<uint> Databases)
{
    private const string VersionFile = "/PG_VERSION";

    /// <summary>Null where LSNs tell nothing.</summary>
    /// <param name="parent">The earlier backup, whose history this server continues (<see cref="ParentCatalog.IsContinuedBy"/>).</param>
    /// <param name="facts">Of the cluster now.</param>
    /// <param name="server">Of the server's process.</param>
    /// <param name="now">What was seen of the server before this backup changed anything.</param>
    /// <param name="entries">What the data directory holds.</param>
    public static TrustedLsns? Find(
        ParentCatalog parent, ClusterFacts facts, ServerState server, PostgresContinuity? now, IEnumerable<DataFile> entries)
    {
        // Without the logging of hint bits, vacuum marks a page all-visible without a new LSN, and the visibility map would contradict it.
        if (now is null || parent.Details.Continuity != now || server.InRecovery || parent.Details.FromStandby || !server.LogsHints) return null;
        var rule = new PageLsnRule(facts.BlockSize, new Lsn((ulong)facts.WalSegmentSize), Lsn.Parse(parent.Details.StartLsn));
        return new TrustedLsns(rule, SameDatabases(parent, entries));
    }

    /// <summary>Whether chunks of this file, all but the first, may be judged by <see cref="Rule"/>.</summary>
    /// <remarks>
    /// The first page is where a sequence counts on without WAL for a while, and where SP-GiST writes down unlogged which pages have room.
    /// </remarks>
    public bool Covers(RelationFile relation, in FileStatus status, CatalogEntry earlier) =>
        relation.Fork == RelationFork.Main
        && Databases.Contains(relation.Database)
        && status.Inode == earlier.Inode
        && status.Device == earlier.Device;

    /// <summary>
    /// CREATE DATABASE … STRATEGY file_copy and ALTER DATABASE … SET TABLESPACE put files in place that carry old LSNs. They copy
    /// PG_VERSION too, which is never written otherwise: a database whose PG_VERSION is the same file as then was not put there since.
    /// </summary>
    private static HashSet<uint> SameDatabases(ParentCatalog parent, IEnumerable<DataFile> entries)
    {
        HashSet<uint> same = [0], others = [];
        foreach (var entry in entries)
        {
            if (entry.IsDirectory || !entry.CatalogPath.EndsWith(VersionFile, StringComparison.Ordinal)) continue;
            if (!RelationFile.TryParse($"{entry.CatalogPath.AsSpan()[..^VersionFile.Length]}/1", out var place) || place.Database == 0) continue;
            (IsSame(entry.Status, parent.Find(entry.CatalogPath)) ? same : others).Add(place.Database);
        }

        same.ExceptWith(others);
        return same;
    }

    private static bool IsSame(in FileStatus now, CatalogEntry? then) =>
        then is not null && now.Inode == then.Inode && now.Device == then.Device && now.ModifiedNanoseconds == then.ModifiedNanoseconds
        && now.ChangedNanoseconds == then.ChangedNanoseconds;
}

/// <summary>What a server's process is like; none of it changes while it runs, but for the end of recovery.</summary>
/// <param name="StartedMicroseconds">When it began, microseconds since 1970-01-01 UTC by its clock.</param>
/// <param name="InRecovery">Whether it is a standby.</param>
/// <param name="LogsHints">Whether hint bits are WAL-logged, and so stamp the page: with data checksums, or wal_log_hints.</param>
internal sealed record ServerState(long StartedMicroseconds, bool InRecovery, bool LogsHints);
