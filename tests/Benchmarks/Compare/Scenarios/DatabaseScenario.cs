using System.Diagnostics;
using System.Globalization;
using FunctionsBackup.Benchmarks.Compare.Contenders;
using FunctionsBackup.Benchmarks.Compare.Processes;
using FunctionsBackup.Benchmarks.Compare.Reporting;
using FunctionsBackup.Benchmarks.DataSets.Database;

namespace FunctionsBackup.Benchmarks.Compare.Scenarios;

/// <summary>
/// A PostgreSQL cluster: each contender has a byte-for-byte copy of its own with its own WAL archiving; the same changes are made to all.
/// Every restore is started, recovered and compared row by row; the last one also goes through pg_amcheck.
/// </summary>
public sealed class DatabaseScenario(Settings settings, Results results)
{
    private const string Name = "database";
    private const int FirstPort = 5600;

    private readonly List<(IDatabaseContender Contender, Cluster Cluster)> _pairs = [];

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            await PrepareAsync(cancellationToken);
            for (var run = 0; run < settings.Runs; run++)
            {
                await RunOnceAsync(run, cancellationToken);
                _pairs.Add(_pairs[0]);
                _pairs.RemoveAt(0);
            }
        }
        finally
        {
            foreach (var (_, cluster) in _pairs) await cluster.DisposeAsync();
        }
    }

    private async Task PrepareAsync(CancellationToken cancellationToken)
    {
        var port = FirstPort;
        await using var first = new Cluster(settings.PostgresPrograms, settings.Work, "pg0", port++);
        await first.InitializeAsync(cancellationToken);
        await first.StartAsync(cancellationToken);
        await using (var database = first.Connect())
        {
            await CallDatabase.CreateAsync(database, settings.DatabaseBytes, settings.Seed, cancellationToken);
            await using var size = database.CreateCommand("select sum(pg_database_size(oid)) || '|' || version() from pg_database");
            var said = ((string)(await size.ExecuteScalarAsync(cancellationToken))!).Split('|');
            results.Versions["PostgreSQL"] = said[1].Split(' ')[1];
            results.Notes.Add(string.Create(CultureInfo.InvariantCulture,
                $"Database: {long.Parse(said[0], CultureInfo.InvariantCulture) / 1e6:0} MB (calls, utterances, quality samples, indexes), page checksums on; WAL archived to the same repository; page cache warm."));
        }

        await first.ExecuteAsync("vacuum (freeze, analyze)", cancellationToken);
        await first.StopAsync(cancellationToken);
        if (settings.Takes("fbackup") && settings.Product.Length > 0)
        {
            var cluster = await first.CopyAsync("pg1", port++, cancellationToken);
            _pairs.Add((new ProductPostgres(settings.Product, settings.Work, cluster), cluster));
        }

        if (settings.Takes("pgBackRest"))
        {
            var cluster = await first.CopyAsync("pg2", port, cancellationToken);
            _pairs.Add((new PgBackRest(Path.Combine(settings.Trixie, "usr/bin/pgbackrest"), settings.Work, cluster), cluster));
        }

        Directory.Delete(first.Data, recursive: true);
        foreach (var (contender, cluster) in _pairs)
        {
            await cluster.StartAsync(cancellationToken);
            results.Versions[contender.Name] = await contender.VersionAsync(cancellationToken);
        }
    }

    private async Task RunOnceAsync(int run, CancellationToken cancellationToken)
    {
        foreach (var (contender, cluster) in _pairs)
        {
            await cluster.ExecuteAsync("alter system set archive_command = '/bin/true'", cancellationToken);
            await cluster.ExecuteAsync("select pg_reload_conf()", cancellationToken);
            await cluster.ExecuteAsync("select pg_switch_wal()", cancellationToken);
            await cluster.WaitUntilArchivedAsync(cancellationToken);
            await contender.InitializeAsync(cancellationToken);
            await cluster.ExecuteAsync($"alter system set archive_command = '{contender.ArchiveCommand}'", cancellationToken);
            await cluster.ExecuteAsync("select pg_reload_conf()", cancellationToken);
        }

        await BackupAsync("full", full: true, stored: true, cancellationToken);
        await BackupAsync("nothing changed", full: false, stored: false, cancellationToken);
        foreach (var (_, cluster) in _pairs)
        {
            await using var database = cluster.Connect();
            await CallDatabaseChange.ApplyAsync(database, run + 1, cancellationToken);
        }

        await BackupAsync("1 % changed", full: false, stored: true, cancellationToken);
        foreach (var (contender, cluster) in _pairs) await RestoreAsync(contender, cluster, run == settings.Runs - 1, cancellationToken);
        foreach (var (contender, _) in _pairs)
            results.Add(Name, "full verify", contender.Name, await Measurement.OfAsync(contender.Verify(), cancellationToken));
    }

    private async Task BackupAsync(string step, bool full, bool stored, CancellationToken cancellationToken)
    {
        foreach (var (contender, cluster) in _pairs)
        {
            await cluster.ExecuteAsync("checkpoint", cancellationToken);
            Folder.Warm(cluster.Data, cancellationToken);
            results.Add(Name, step, contender.Name, await Measurement.OfAsync(contender.Backup(full), cancellationToken));
            if (stored) results.Stored(Name, step, contender.Name, Folder.Bytes(contender.Repository));
        }
    }

    private async Task RestoreAsync(IDatabaseContender contender, Cluster original, bool thorough, CancellationToken cancellationToken)
    {
        string expected, found;
        await using (var database = original.Connect()) expected = await DatabaseDigest.OfAsync(database, cancellationToken);
        Folder.Warm(contender.Repository, cancellationToken);
        await using var restored = new Cluster(settings.PostgresPrograms, settings.Work, "restored-pg", FirstPort + 9);
        Cluster.MakeDirectory(restored.Data);
        results.Add(Name, "restore", contender.Name, await Measurement.OfAsync(contender.Restore(restored.Data), cancellationToken));

        // It must not archive into the repository that it came from.
        await File.AppendAllTextAsync(Path.Combine(restored.Data, "postgresql.auto.conf"), "archive_mode = 'off'\n", cancellationToken);
        var clock = Stopwatch.StartNew();
        await restored.StartAsync(cancellationToken);
        await restored.WaitUntilPromotedAsync(cancellationToken);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  (recovered in {clock.Elapsed.TotalSeconds:0.00} s)"));
        await using (var database = restored.Connect()) found = await DatabaseDigest.OfAsync(database, cancellationToken);
        if (found != expected) throw new UnreachableException($"{contender.Name} restored wrong:\n{expected}became\n{found}");
        if (thorough) await restored.CheckAsync(cancellationToken);
        await restored.StopAsync(cancellationToken);
        Directory.Delete(restored.Data, recursive: true);
    }
}
