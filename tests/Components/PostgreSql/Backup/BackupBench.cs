using System.Diagnostics;
using System.Text;
using FunctionsBackup.Components.PostgreSql;
using FunctionsBackup.Components.PostgreSql.Backup;
using FunctionsBackup.Components.PostgreSql.Wal;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Catalogs;
using FunctionsBackup.Repository.Snapshots;
using FunctionsBackup.Tests.Conformance;
using FunctionsBackup.Tests.Servers;

namespace FunctionsBackup.Tests.Components.PostgreSql.Backup;

/// <summary>A real server and a repository in memory: takes backups, reads them, and starts servers on them.</summary>
internal sealed class BackupBench : IAsyncDisposable
{
    private BackupBench(PostgresServer server, BackupRepository repository) => (Server, Repository) = (server, repository);

    public PostgresServer Server { get; }

    public BackupRepository Repository { get; }

    public static async Task<BackupBench> StartAsync(PostgresServerOptions? options = null) =>
        new(await PostgresServer.StartAsync(options), await TestRepository.CreateAsync());

    /// <summary>For a server that is there already; both are disposed with this.</summary>
    public static BackupBench On(PostgresServer server, BackupRepository repository) => new(server, repository);

    public Task<Snapshot> DirectAsync(bool full = false) => RunAsync(new PostgresBackupOptions(Server.ConnectionString)
    {
        DataDirectory = Server.DataDirectory,
        Mode = PostgresBackupMode.Direct,
        Full = full,
    });

    public Task<Snapshot> ReplicationAsync(bool full = false) =>
        RunAsync(new PostgresBackupOptions(Server.Uri) { Mode = PostgresBackupMode.Replication, Full = full });

    public async Task<Snapshot> RunAsync(PostgresBackupOptions options) =>
        await new PostgresBackup(Repository, TimeProvider.System).RunAsync(options, null, CancellationToken.None);

    public async Task<Dictionary<string, CatalogEntry>> CatalogAsync(Snapshot snapshot)
    {
        var entries = new Dictionary<string, CatalogEntry>();
        await foreach (var entry in Repository.ReadCatalogAsync(snapshot, CancellationToken.None))
            entries.Add(Encoding.UTF8.GetString(entry.Path.Span), entry);
        return entries;
    }

    public async Task<byte[]> ReadAsync(CatalogEntry entry)
    {
        using var bytes = new MemoryStream();
        await using var content = Repository.OpenContent(entry.Content!);
        await content.CopyToAsync(bytes);
        return bytes.ToArray();
    }

    /// <summary>Writes the backup out, tablespaces moved, with the WAL it needs, and starts a server on it that recovers by itself.</summary>
    public async Task<PostgresServer> RestoreAsync(Snapshot snapshot)
    {
        var details = PostgresBackupDetails.FromJson(snapshot.Details);
        var root = await Server.NewDirectoryAsync($"restore-{snapshot.Id}");
        var data = Path.Combine(root, "pgdata");
        foreach (var (path, entry) in await CatalogAsync(snapshot))
        {
            var target = Path.Combine(root, path);
            if (entry.Kind == EntryKind.Directory) Directory.CreateDirectory(target, (UnixFileMode)entry.Mode);
            // Left by pg_basebackup -R in a standby, these would make the restored server one too.
            else if (path is not ("pgdata/standby.signal" or "pgdata/recovery.signal")) await File.WriteAllBytesAsync(target, await ReadAsync(entry));
        }

        foreach (var tablespace in details.Tablespaces)
        {
            var moved = Path.Combine(root, "pg_tblspc", tablespace.Oid.ToString());
            File.CreateSymbolicLink(Path.Combine(data, "pg_tblspc", tablespace.Oid.ToString()), moved);
            var map = Path.Combine(data, "tablespace_map");
            await File.WriteAllTextAsync(map, (await File.ReadAllTextAsync(map)).Replace(tablespace.Location, moved));
        }

        var archive = new WalArchive(Repository, details.SystemIdentifier);
        var stop = Lsn.Parse(details.StopLsn);
        for (var name = WalSegmentName.Containing(details.Timeline, Lsn.Parse(details.StartLsn), details.WalSegmentSize);
             name.Start(details.WalSegmentSize) < stop;
             name = name.Next(details.WalSegmentSize))
        {
            var segment = await archive.FetchAsync(name.ToString(), CancellationToken.None);
            await File.WriteAllBytesAsync(Path.Combine(data, "pg_wal", name.ToString()), segment.ShouldNotBeNull());
        }

        // Only the backup's own WAL is there, so that recovery ends where the backup did.
        await File.AppendAllTextAsync(Path.Combine(data, "postgresql.auto.conf"), "primary_conninfo = ''\nrestore_command = '/bin/false'\n");
        await File.WriteAllTextAsync(Path.Combine(data, "recovery.signal"), "");
        // Run as root, the tests wrote the files as root, and the server's user must own them.
        if (Environment.UserName != "postgres")
        {
            using var chown = Process.Start("chown", $"-R postgres {root}");
            await chown.WaitForExitAsync();
        }

        var restored = await PostgresServer.AttachAsync(data, Server.Options);
        await restored.StartAgainAsync(waitForPromotion: true);
        return restored;
    }

    /// <summary>Restores, and checks that queries answer as on the original and that every index and page is sound.</summary>
    public async Task ShouldRestoreAsync(Snapshot snapshot, params string[] queries)
    {
        await using var restored = await RestoreAsync(snapshot);
        foreach (var query in queries)
            (await restored.QueryAsync(query)).ShouldBe(await Server.QueryAsync(query));
        await restored.ExecuteAsync("create extension if not exists amcheck");
        await restored.ToolAsync(
            "pg_amcheck", CancellationToken.None, "-h", "127.0.0.1", "-p", restored.Port.ToString(), "-U", "postgres", "-d", "postgres", "--heapallindexed");
        await restored.StopAsync();
        if (restored.Options.Checksums) await restored.ToolAsync("pg_checksums", CancellationToken.None, "--check", "-D", restored.DataDirectory);
    }

    public async ValueTask DisposeAsync()
    {
        await Repository.DisposeAsync();
        await Server.DisposeAsync();
    }
}
