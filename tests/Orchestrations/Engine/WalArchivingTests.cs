using FunctionsBackup.Components.PostgreSql;
using FunctionsBackup.Operations.Metrics;
using FunctionsBackup.Orchestrations.Instances;
using FunctionsBackup.Orchestrations.WalArchiving;
using FunctionsBackup.SelfHosting.Engine.History;
using FunctionsBackup.Tests.Servers;
using Microsoft.DurableTask;

namespace FunctionsBackup.Tests.Orchestrations.Engine;

/// <summary>WAL archiving as the orchestration that goes on for ever, with a real server that writes, rests, goes away and comes back.</summary>
public sealed class WalArchivingTests
{
    private const string Id = "wal-postgres";
    private static readonly WalArchivingRequest Quick = new() { PassSeconds = 5, MaximumBackoffSeconds = 1 };

    [Fact]
    public async Task What_the_server_writes_is_archived_and_a_server_that_rests_loses_nothing()
    {
        await using var server = await PostgresServer.StartAsync();
        await using var test = await TestSite.CreateAsync(server.ConnectionString);
        await using var engine = await TestEngine.StartAsync(test);
        await engine.Client.ScheduleNewOrchestrationInstanceAsync(nameof(WalArchivingOrchestrator), Quick, new StartOrchestrationOptions(Id));

        await server.ExecuteAsync("create table calls as select g as id from generate_series(1, 10000) g");
        var written = Lsn.Parse(await server.ScalarAsync<string>("select pg_current_wal_flush_lsn()::text"));
        var status = await UntilAsync(engine, s => s.ArchivedLsn is { } archived && Lsn.Parse(archived) >= written && s.LagBytes == 0);
        status.SystemIdentifier.ShouldBe(await server.ScalarAsync<string>("select system_identifier::text from pg_control_system()"));
        status.ActualRpoSeconds.ShouldBe(0);
        status.UnarchivedSince.ShouldBeNull();
        status.Problem.ShouldBeNull();

        // Nothing more is written: pass after pass measures, and none is a failure.
        for (var pass = 0; pass < 2; pass++)
        {
            var last = status;
            status = await UntilAsync(engine, s => s.At > last.At);
            status.Failures.ShouldBe(0, status.Problem?.Sentence);
            status.LagBytes.ShouldBe(0);
            status.ActualRpoSeconds.ShouldBe(0);
        }

        var text = PrometheusText.Write(engine.Site.Metrics.Registry);
        text.ShouldContain("voice_agent_backup_actual_rpo_seconds{component=\"postgres\"} 0\n");
        text.ShouldContain("voice_agent_backup_wal_lag_bytes{component=\"postgres\"} 0\n");

        // Each pass begins a new history, which carries the last measurement and no more.
        var history = await engine.Engine.GetHistoryAsync(Id);
        history.Count(r => r.Kind == HistoryEventKind.TaskScheduled).ShouldBeLessThanOrEqualTo(1);
        (await engine.Client.GetInstanceAsync(Id, getInputsAndOutputs: true))!.ReadInputAs<WalArchivingRequest>()!.Last!.SystemIdentifier
            .ShouldBe(status.SystemIdentifier);
        await CancelAsync(engine);
    }

    [Fact]
    public async Task What_is_not_archived_counts_from_when_it_was_written_until_it_is()
    {
        await using var server = await PostgresServer.StartAsync();
        await using var test = await TestSite.CreateAsync(server.ConnectionString);
        await using var engine = await TestEngine.StartAsync(test);
        await engine.Client.ScheduleNewOrchestrationInstanceAsync(nameof(WalArchivingOrchestrator), Quick, new StartOrchestrationOptions(Id));
        var well = await UntilAsync(engine, s => s is { ActualRpoSeconds: 0, Problem: null });

        // The archive takes nothing more: a file stands where its folder was.
        var (archive, aside) = (Path.Join(test.RepositoryFolder, "wal"), Path.Join(test.RepositoryFolder, "wal.aside"));
        Directory.Move(archive, aside);
        await File.WriteAllTextAsync(archive, "in the way");
        await server.ExecuteAsync("create table calls as select g as id from generate_series(1, 10000) g");
        var behind = await UntilAsync(engine, s => s.UnarchivedSince is not null);
        behind.Problem.ShouldNotBeNull();
        behind.UnarchivedSince!.Value.ShouldBeGreaterThanOrEqualTo(well.At);
        for (var pass = 0; pass < 2; pass++)
        {
            var last = behind;
            behind = await UntilAsync(engine, s => s.At > last.At);
            behind.UnarchivedSince.ShouldBe(last.UnarchivedSince); // carried from history to history
            behind.ActualRpoSeconds!.Value.ShouldBe((behind.At - behind.UnarchivedSince!.Value).TotalSeconds, 0.001);
        }

        Gauge(engine).ShouldBeGreaterThan(0);
        File.Delete(archive);
        Directory.Move(aside, archive);
        var mended = await UntilAsync(engine, s => s is { UnarchivedSince: null, ActualRpoSeconds: 0, LagBytes: 0 });
        mended.Failures.ShouldBe(0);
        Gauge(engine).ShouldBe(0);
        await CancelAsync(engine);
    }

    [Fact]
    public async Task A_server_that_is_away_may_have_written_since_it_was_last_heard_of()
    {
        await using var server = await PostgresServer.StartAsync();
        await using var gate = new TcpGate(server.Port);
        gate.Open();
        await using var test = await TestSite.CreateAsync(gate.PostgresConnection);
        await using var engine = await TestEngine.StartAsync(test);
        await engine.Client.ScheduleNewOrchestrationInstanceAsync(nameof(WalArchivingOrchestrator), Quick, new StartOrchestrationOptions(Id));
        await UntilAsync(engine, s => s is { ActualRpoSeconds: 0, Problem: null });

        await server.StopAsync();
        var away = await UntilAsync(engine, s => s.Failures >= 1);
        away.Problem.ShouldNotBeNull();
        away.UnarchivedSince.ShouldNotBeNull();
        var later = await UntilAsync(engine, s => s.Failures > away.Failures);
        later.UnarchivedSince.ShouldBe(away.UnarchivedSince);
        later.ActualRpoSeconds!.Value.ShouldBeGreaterThan(away.ActualRpoSeconds!.Value);
        Gauge(engine).ShouldBeGreaterThan(0);
        await CancelAsync(engine);
    }

    private static double Gauge(TestEngine engine)
    {
        const string Name = "voice_agent_backup_actual_rpo_seconds{component=\"postgres\"} ";
        var line = PrometheusText.Write(engine.Site.Metrics.Registry).Split('\n').Single(l => l.StartsWith(Name, StringComparison.Ordinal));
        return double.Parse(line[Name.Length..], System.Globalization.CultureInfo.InvariantCulture);
    }

    private static async Task CancelAsync(TestEngine engine)
    {
        await Instance.CancelAsync(engine.Client, Id, "enough", CancellationToken.None);
        (await engine.ResultOfAsync<WalArchivingStatus>(Id)).SystemIdentifier.ShouldNotBeNull();
    }

    /// <summary>The first status like that; each pass sets one.</summary>
    private static async Task<WalArchivingStatus> UntilAsync(TestEngine engine, Func<WalArchivingStatus, bool> found)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(3));
        while (true)
        {
            var instance = await engine.Client.GetInstanceAsync(Id, getInputsAndOutputs: true);
            if (instance?.ReadCustomStatusAs<WalArchivingStatus>() is { At.Year: > 2000 } status && found(status)) return status;
            await Task.Delay(20, patience.Token);
        }
    }
}
