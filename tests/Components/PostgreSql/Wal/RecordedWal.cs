using System.Globalization;
using System.Text;
using FunctionsBackup.Components.PostgreSql;
using FunctionsBackup.Components.PostgreSql.Wal;
using FunctionsBackup.Components.PostgreSql.Wal.Reading;
using FunctionsBackup.Tests.Servers;
using Npgsql;

namespace FunctionsBackup.Tests.Components.PostgreSql.Wal;

/// <summary>A numbered row, and what the server says of its transaction.</summary>
public sealed record Mark(int Number, uint Xid, DateTimeOffset Time, Lsn After);

/// <summary>
/// WAL that a real server wrote, with what the server and pg_waldump say of it: numbered rows, a base backup after row 3, a restore point,
/// a prepared transaction, a switch, a record larger than two segments. Recorded once per version for all tests.
/// </summary>
public sealed class RecordedWal
{
    public const int SegmentSize = 1 << 20;
    private static readonly Lazy<Task<RecordedWal>> V15 = new(() => RecordAsync(15)), V17 = new(() => RecordAsync(17));

    public required string SystemIdentifier { get; init; }

    public required PostgresBackupDetails Backup { get; init; }

    /// <summary>Complete segments in order.</summary>
    public required IReadOnlyList<(WalSegmentName Name, byte[] Bytes)> Segments { get; init; }

    /// <summary>The segment still being written, up to <see cref="End"/>.</summary>
    public required (WalSegmentName Name, byte[] Bytes) Current { get; init; }

    public required IReadOnlyList<Mark> Marks { get; init; }

    public required Mark Prepared { get; init; }

    /// <summary>LSN that pg_create_restore_point gave, between rows 6 and 7.</summary>
    public required Lsn RestorePoint { get; init; }

    public required Lsn End { get; init; }

    /// <summary>Records by resource manager, as pg_waldump counts them.</summary>
    public required IReadOnlyDictionary<string, long> Counts { get; init; }

    /// <summary>Lines of pg_waldump --rmgr=Transaction.</summary>
    public required IReadOnlyList<string> Transactions { get; init; }

    public static Task<RecordedWal> GetAsync(int version) => (version == 15 ? V15 : V17).Value;

    public async Task ArchiveAsync(WalArchive archive, Func<WalSegmentName, bool>? which = null)
    {
        foreach (var (name, bytes) in Segments)
            if (which is null || which(name)) (await archive.PushAsync(name, bytes, default)).ShouldBe(WalPushOutcome.Archived);
        if (which is null || which(Current.Name)) await archive.PushPartAsync(Current.Name, SegmentSize, 0, Current.Bytes, default);
    }

    /// <summary>A segment that records fill to its end.</summary>
    public (WalSegmentName Name, byte[] Bytes) Full =>
        Segments.First(s => WalScan.Read(s.Bytes, s.Name, SegmentSize, null) is { Stop.Kind: WalStopKind.Filled, Facts.Records: > 1000 });

    public WalSegmentName Containing(Lsn lsn) => WalSegmentName.Containing(1, lsn, SegmentSize);

    private static async Task<RecordedWal> RecordAsync(int version)
    {
        await using var server = await PostgresServer.StartAsync(new PostgresServerOptions
        {
            Version = version,
            WalSegmentMegabytes = 1,
            Settings = new Dictionary<string, string>
            {
                ["wal_keep_size"] = "1GB", ["track_commit_timestamp"] = "on", ["autovacuum"] = "off", ["max_prepared_transactions"] = "5",
            },
        });
        await server.ExecuteAsync("create table marks (n int); create table filler (t text)");
        var marks = new List<Mark>();
        for (var n = 1; n <= 2; n++) marks.Add(await MarkAsync(server, n));
        await using var session = await server.Source.OpenConnectionAsync();
        var start = await OneAsync(session, "select pg_backup_start('test', true)::text");
        var startTime = await OneAsync(session, "select clock_timestamp()::text");
        marks.Add(await MarkAsync(server, 3));
        var stop = await OneAsync(session, "select lsn::text from pg_backup_stop(false)");
        var stopTime = await server.ScalarAsync<DateTime>("select clock_timestamp()");
        for (var n = 4; n <= 6; n++) marks.Add(await MarkAsync(server, n));
        var point = await server.ScalarAsync<string>("select pg_create_restore_point('before seven')::text");
        await server.ExecuteAsync("select pg_switch_wal()");
        for (var n = 7; n <= 9; n++) marks.Add(await MarkAsync(server, n));
        await using var preparing = await server.Source.OpenConnectionAsync();
        await OneAsync(preparing, "begin");
        var preparedXid = await OneAsync(preparing, "insert into marks values (100) returning pg_current_xact_id()::text");
        await OneAsync(preparing, "savepoint a; insert into marks values (101); prepare transaction 'two'");
        await OneAsync(preparing, "commit prepared 'two'");
        var prepared = await DescribeAsync(server, 100, preparedXid!);
        await server.ExecuteAsync("select pg_logical_emit_message(false, 'big', repeat('x', 2500000))");
        for (var n = 10; n <= 14; n++) marks.Add(await MarkAsync(server, n));
        await server.ExecuteAsync("checkpoint");

        var end = Lsn.Parse(await server.ScalarAsync<string>("select pg_current_wal_flush_lsn()::text"));
        var current = WalSegmentName.Containing(1, end, SegmentSize);
        var directory = Path.Combine(server.DataDirectory, "pg_wal");
        var segments = new List<(WalSegmentName, byte[])>();
        foreach (var path in Directory.GetFiles(directory).Order(StringComparer.Ordinal))
            if (WalSegmentName.TryParse(Path.GetFileName(path), out var name) && name.Start(SegmentSize) < current.Start(SegmentSize))
                segments.Add((name, await File.ReadAllBytesAsync(path)));
        var bytes = await File.ReadAllBytesAsync(Path.Combine(directory, current.ToString()));
        var first = WalScan.Read(segments[0].Item2, segments[0].Item1, SegmentSize, null).Facts.FirstRecord!.Value;
        string[] range = ["-p", directory, "-s", first.ToString(), "-e", end.ToString()];
        var stats = await server.ToolAsync("pg_waldump", default, [.. range, "-z"]);
        var transactions = await server.ToolAsync("pg_waldump", default, [.. range, "--rmgr=Transaction"]);
        return new RecordedWal
        {
            SystemIdentifier = await server.ScalarAsync<string>("select system_identifier::text from pg_control_system()"),
            Backup = new PostgresBackupDetails
            {
                SystemIdentifier = await server.ScalarAsync<string>("select system_identifier::text from pg_control_system()"),
                ServerVersion = version * 10000,
                Timeline = 1,
                StartLsn = start!,
                StopLsn = stop!,
                StartTime = DateTimeOffset.Parse(startTime!, CultureInfo.InvariantCulture),
                StopTime = stopTime,
                WalSegmentSize = SegmentSize,
                Mode = "direct",
            },
            Segments = segments,
            Current = (current, bytes[..(int)(end.Value - current.Start(SegmentSize).Value)]),
            Marks = marks,
            Prepared = prepared,
            RestorePoint = Lsn.Parse(point),
            End = end,
            Counts = stats.Split('\n').Select(l => l.Split(' ', StringSplitOptions.RemoveEmptyEntries))
                .Where(f => f.Length > 5 && long.TryParse(f[1], out _))
                .ToDictionary(f => f[0], f => long.Parse(f[1], CultureInfo.InvariantCulture)),
            Transactions = [.. transactions.Split('\n').Where(l => l.StartsWith("rmgr:", StringComparison.Ordinal))],
        };
    }

    private static async Task<Mark> MarkAsync(PostgresServer server, int number)
    {
        var xid = await server.ScalarAsync<string>($"insert into marks values ({number}) returning pg_current_xact_id()::text");
        var mark = await DescribeAsync(server, number, xid);
        await server.ExecuteAsync("insert into filler select md5(random()::text) from generate_series(1, 4000)");
        return mark;
    }

    private static async Task<Mark> DescribeAsync(PostgresServer server, int number, string xid)
    {
        var time = await server.ScalarAsync<DateTime>($"select pg_xact_commit_timestamp('{xid}'::xid)");
        var after = Lsn.Parse(await server.ScalarAsync<string>("select pg_current_wal_insert_lsn()::text"));
        return new Mark(number, uint.Parse(xid, CultureInfo.InvariantCulture), time, after);
    }

    private static async Task<string?> OneAsync(NpgsqlConnection session, string sql)
    {
        await using var command = new NpgsqlCommand(sql, session);
        return (string?)await command.ExecuteScalarAsync();
    }

    public override string ToString() => new StringBuilder().Append(Backup.ServerVersion).ToString();
}
