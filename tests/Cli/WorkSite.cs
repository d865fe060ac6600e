using FunctionsBackup.Tests.Servers;

namespace FunctionsBackup.Tests.Cli;

/// <summary>One database server for all tests of a class.</summary>
public sealed class DatabaseFixture : IAsyncLifetime
{
    public PostgresServer Server { get; private set; } = null!;

    public async Task InitializeAsync() => Server = await PostgresServer.StartAsync();

    public async Task DisposeAsync() => await Server.DisposeAsync();
}

/// <summary>
/// A site with files and a database behind a gate: a backup of it stands in the middle, its files stored, until the gate is opened.
/// </summary>
internal sealed class WorkSite : IAsyncDisposable
{
    public WorkSite(PostgresServer server)
    {
        Gate = new TcpGate(server.Port);
        Fbackup.WriteConfiguration("    postgres: { connection: env:PGCONNECTION, mode: replication }");
        Fbackup.Environment["PGCONNECTION"] = Gate.PostgresConnection;
        // Nothing of the host's own comes to the gate.
        foreach (var timer in (string[])["WAL", "HEALTH", "VERIFICATION", "RETENTION", "DRILL"])
            Fbackup.Environment[$"FBACKUP_SCHEDULE_{timer}"] = "0 0 0 1 1 *";
        Fbackup.Write("recordings/call.txt", "hello");
        Fbackup.Run("init", "--yes").Expect(0);
    }

    public Fbackup Fbackup { get; } = new();

    public TcpGate Gate { get; }

    /// <summary>A backup in the middle, and its instance.</summary>
    public async Task<(RunningFbackup Backup, string Instance)> BeginBackupAsync(params string[] options)
    {
        var backup = new RunningFbackup(Fbackup, ["backup", "run", "--json", .. options]);
        await Gate.Arrived.WaitAsync(TimeSpan.FromMinutes(2));
        return (backup, Running().Single());
    }

    /// <summary>Instances that have not ended.</summary>
    public IReadOnlyList<string> Running() => Instances("work", "list", "--json");

    /// <summary>All instances of backups.</summary>
    public IReadOnlyList<string> AllBackups() =>
        [.. Instances("work", "list", "--all", "--json").Where(i => i.StartsWith("backup-", StringComparison.Ordinal))];

    public string StatusOf(string instance) => Fbackup.Run("work", "show", instance, "--json").Expect(0).Json["status"]!.GetValue<string>();

    /// <summary>Looks until the instance is told to be in that status: whoever does the work takes what it was told a moment later.</summary>
    public void AwaitStatus(string instance, string status)
    {
        for (var looks = 0; looks < 200; looks++)
            if (StatusOf(instance) == status) return;
        throw new TimeoutException($"{instance} is {StatusOf(instance)}, and does not become {status}.");
    }

    /// <summary>The components of all snapshots, each as often as it has one.</summary>
    public IReadOnlyList<string> Snapshots() =>
        [.. Fbackup.Run("backup", "list", "--json").Expect(0).Json["recovery_points"]!.AsArray()
            .Select(p => p!["component"]!.GetValue<string>()).Order(StringComparer.Ordinal)];

    public async ValueTask DisposeAsync()
    {
        await Gate.DisposeAsync();
        Fbackup.Dispose();
    }

    private List<string> Instances(params string[] arguments) =>
        [.. Fbackup.Run(arguments).Expect(0).Json["instances"]!.AsArray().Select(i => i!["instance"]!.GetValue<string>())];
}
