using FunctionsBackup.Components.PostgreSql;
using FunctionsBackup.Components.PostgreSql.Backup;
using FunctionsBackup.Components.PostgreSql.Restore;
using FunctionsBackup.Components.PostgreSql.Verification;
using FunctionsBackup.Components.PostgreSql.Wal;
using FunctionsBackup.Components.PostgreSql.Wal.Receiving;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Snapshots;
using FunctionsBackup.Storage.FileSystem;
using FunctionsBackup.Tests.Conformance;
using FunctionsBackup.Tests.Servers;

namespace FunctionsBackup.Tests.EndToEnd.Recovery;

/// <summary>
/// A server that had rows written to it while two base backups were taken and its WAL was archived, and that was then destroyed. What is
/// left is the repository, and the knowledge of every row.
/// </summary>
internal sealed class RecoveryWorld : IAsyncDisposable
{
    public const string FirstName = "after the first backup";
    public const string SecondName = "after the second backup";

    private RecoveryWorld(int version, PostgresBackupMode mode, ScratchDirectory scratch, BackupRepository repository)
    {
        Version = version;
        Mode = mode;
        Scratch = scratch;
        Repository = repository;
    }

    public int Version { get; }

    public PostgresBackupMode Mode { get; }

    /// <summary>Holds the repository and whatever is restored; owned by the servers' user.</summary>
    public ScratchDirectory Scratch { get; }

    public BackupRepository Repository { get; }

    public WalArchive Archive { get; private set; } = null!;

    public IReadOnlyList<NumberedRow> Rows { get; private set; } = [];

    public Snapshot First { get; private set; } = null!;

    public Snapshot Second { get; private set; } = null!;

    /// <summary>Last row before each restore point.</summary>
    public NumberedRow AtFirstName { get; private set; } = null!;

    public NumberedRow AtSecondName { get; private set; } = null!;

    public NumberedRow Last => Rows[^1];

    public static PostgresBackupDetails Details(Snapshot snapshot) => PostgresBackupDetails.FromJson(snapshot.Details);

    public static async Task<RecoveryWorld> CreateAsync(int version, PostgresBackupMode mode)
    {
        var scratch = await ScratchDirectory.CreateAsync(PostgresServer.User, "/tmp", "fbpitr", CancellationToken.None);
        var store = Path.Combine(scratch.Path, "repository");
        FileSystemObjectStore.Initialize(store);
        var world = new RecoveryWorld(version, mode, scratch, await TestRepository.CreateAsync(new FileSystemObjectStore(store)));
        await world.LiveAndDieAsync();
        return world;
    }

    /// <summary>A new directory of the servers' user.</summary>
    public async Task<string> NewDirectoryAsync()
    {
        var made = await ProgramRun.RunAsync(
            PostgresServer.User.Command("mktemp", "-d", Path.Combine(Scratch.Path, "r-XXXXXX")), CancellationToken.None);
        return made.Output.Trim();
    }

    /// <summary>Options that restore into a new directory, the tablespace beside it.</summary>
    public async Task<PostgresRestoreOptions> OptionsAsync(RestoreGoal goal, string? directory = null)
    {
        directory ??= await NewDirectoryAsync();
        var oid = Details(First).Tablespaces[0].Oid;
        return new PostgresRestoreOptions(Path.Combine(directory, "data"))
        {
            Goal = goal,
            TablespaceMappings = [TablespaceMapping.Parse($"{oid}={Path.Combine(directory, "tablespace")}")],
        };
    }

    public Task<PostgresRestoreReport> RestoreAsync(PostgresRestoreOptions options) =>
        new PostgresRestore(Repository, TimeProvider.System).RunAsync(options, null, CancellationToken.None).AsTask();

    /// <summary>Starts a server on a restored directory and waits until its recovery has ended.</summary>
    public async Task<PostgresServer> BootAsync(string dataDirectory, bool waitForPromotion = true, string? archiveTo = null)
    {
        var server = await PostgresServer.AttachAsync(dataDirectory, new PostgresServerOptions { Version = Version });
        try
        {
            var settings = new Dictionary<string, string> { ["archive_mode"] = archiveTo is null ? "off" : "on" };
            if (archiveTo is not null) settings["archive_command"] = SpoolArchiver.Command(archiveTo);
            await server.StartAgainAsync(settings, waitForPromotion);
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Writes all archived segments and history files into a directory that the servers' user can read.</summary>
    public async Task ExportWalAsync(string directory)
    {
        Directory.CreateDirectory(directory, (UnixFileMode)0b111_101_101);
        await foreach (var name in Archive.ListAsync(CancellationToken.None))
        {
            var path = Path.Combine(directory, name.ToString());
            await File.WriteAllBytesAsync(path, (await Archive.FetchAsync(name.ToString(), CancellationToken.None))!);
            File.SetUnixFileMode(path, (UnixFileMode)0b110_100_100);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Repository.DisposeAsync();
        await Scratch.DisposeAsync();
    }

    private async Task LiveAndDieAsync()
    {
        var spool = await NewDirectoryAsync();
        var settings = new Dictionary<string, string> { ["track_commit_timestamp"] = "on", ["wal_keep_size"] = "0" };
        var archiving = Mode == PostgresBackupMode.Direct;
        if (archiving) (settings["archive_mode"], settings["archive_command"]) = ("on", SpoolArchiver.Command(spool));
        if (Version >= 17) settings["summarize_wal"] = "on";
        await using var server = await PostgresServer.StartAsync(new PostgresServerOptions { Version = Version, WalSegmentMegabytes = 1, Settings = settings });
        await server.ExecuteAsync(RowWriter.Tables(await server.NewDirectoryAsync("other")));
        await server.ExecuteAsync(RowWriter.Schema);
        var system = await server.ScalarAsync<string>("select system_identifier::text from pg_control_system()");
        Archive = new WalArchive(Repository, system);

        using var stopReceiver = new CancellationTokenSource();
        var receiver = new WalReceiver(
            new WalReceiverOptions(server.ConnectionString) { SealInterval = TimeSpan.FromMilliseconds(200) }, (_, _) => new(Archive), TimeProvider.System);
        var receiving = archiving ? Task.CompletedTask : receiver.RunAsync(stopReceiver.Token);
        await using var archiver = archiving ? new SpoolArchiver(spool, Archive) : null;
        await using var writer = await RowWriter.StartAsync(server);

        var options = new PostgresBackupOptions(server.ConnectionString)
        {
            Mode = Mode,
            DataDirectory = archiving ? server.DataDirectory : null,
        };
        var backup = new PostgresBackup(Repository, TimeProvider.System);
        await writer.WaitForAsync(40);
        First = await backup.RunAsync(options, null, CancellationToken.None);
        await writer.WaitForAsync(60);
        AtFirstName = await writer.BetweenAsync(() => server.ExecuteAsync($"select pg_create_restore_point('{FirstName}')"));
        await writer.WaitForAsync(30);
        Second = await backup.RunAsync(options, null, CancellationToken.None);
        await writer.WaitForAsync(60);
        AtSecondName = await writer.BetweenAsync(() => server.ExecuteAsync($"select pg_create_restore_point('{SecondName}')"));
        await writer.WaitForAsync(30);
        // However little the server wrote, the last rows are in a later segment than the restore point.
        await writer.BetweenAsync(() => server.ExecuteAsync("select pg_switch_wal()"));
        await writer.WaitForAsync(30);
        Rows = await writer.StopAsync();

        if (archiver is not null)
        {
            var name = await server.ScalarAsync<string>("select pg_walfile_name(pg_switch_wal())");
            await archiver.WaitForAsync(name);
        }
        else
        {
            // No switch: the last rows are in the part of a segment that the receiver has sealed so far.
            while (receiver.Status.Archived < Last.After)
            {
                if (receiving.IsCompleted) await receiving;
                await Task.Delay(20);
            }
        }

        await server.StopAsync(PostgresStop.Kill);
        await stopReceiver.CancelAsync();
        await receiving;
    }
}
