using System.Diagnostics;
using System.Text.Json;
using FunctionsBackup.Orchestrations.Backup;
using FunctionsBackup.Orchestrations.Instances;
using FunctionsBackup.Repository.Verification;
using FunctionsBackup.Components.Files;
using FunctionsBackup.Orchestrations.Restore;
using FunctionsBackup.Tests.Servers;

namespace FunctionsBackup.Tests.Orchestrations.Engine;

/// <summary>The host is killed at random moments of backups of three components: each backup ends, once, with a recovery point that restores.</summary>
public sealed class KillTests
{
    private static readonly string Program = Path.Combine(AppContext.BaseDirectory, "orchestrations-host");

    [Fact]
    [Trait("Category", "Long")]
    public Task Twenty_kills() => KillAsync(20);

    [Fact]
    [Trait("Category", "Long")]
    public Task A_hundred_kills() => KillAsync(100);

    private static async Task KillAsync(int kills)
    {
        await using var server = await PostgresServer.StartAsync();
        await using (var command = server.Source.CreateCommand("create table calls as select g as id, md5(g::text) as note from generate_series(1, 20000) g"))
            await command.ExecuteNonQueryAsync();
        await using var test = await TestSite.CreateAsync(server.ConnectionString);
        var random = new Random(20261125);
        var (done, killed, longest) = (0, 0, TimeSpan.FromMilliseconds(1500));
        while (killed < kills)
        {
            var instance = $"backup-all-{done:0000}";
            test.Write($"recordings/new/{done}", TestSite.Bytes(300_000, done));
            while (true)
            {
                var wait = killed < kills ? longest * random.NextDouble() : (TimeSpan?)null;
                var (ended, output, took) = await RunAsync(test, instance, wait);
                if (!ended)
                {
                    killed++;
                    continue;
                }

                longest = took < TimeSpan.FromMilliseconds(200) ? TimeSpan.FromMilliseconds(200) : took;
                output.ShouldStartWith("Completed ", Case.Sensitive, output);
                var result = JsonSerializer.Deserialize<BackupResult>(output["Completed ".Length..])!;
                result.Outcome.ShouldBe(RunOutcome.Complete, output);
                break;
            }

            done++;
        }

        await using var repository = await test.OpenRepositoryAsync();
        (await repository.Points.ListIdsAsync(CancellationToken.None).CountAsync()).ShouldBe(done); // each once
        var snapshots = await repository.ListSnapshotsAsync(null, CancellationToken.None).ToListAsync();
        snapshots.Count.ShouldBe(3 * done);
        (await repository.Store.ListAsync("parts/", CancellationToken.None).CountAsync()).ShouldBe(0);
        var report = await new RepositoryVerifier(repository).RunAsync(new VerificationOptions(VerificationLevel.Full), null, CancellationToken.None);
        report.Defects.ShouldBeEmpty();
        var newest = snapshots.Last(s => s.Component == "voice_data");
        var target = Path.Join(test.Folder, "restored");
        await new TreeRestorer(repository).RestoreAsync(
            newest, new TreeRestoreOptions(FilesRestores.Roots(newest, target)), null, CancellationToken.None);
        TestSite.Content(Path.Join(target, "recordings")).ShouldBe(TestSite.Content(Path.Join(test.Folder, "recordings")));
    }

    /// <returns>Whether it came to its end, what it said, and how long it took from being ready.</returns>
    private static async Task<(bool Ended, string Output, TimeSpan Took)> RunAsync(TestSite test, string instance, TimeSpan? killAfter)
    {
        var start = new ProcessStartInfo(Program, [test.ConfigurationFile, Path.Join(test.Folder, "state.db"), instance])
        {
            RedirectStandardOutput = true, RedirectStandardError = true,
        };
        foreach (var (name, value) in test.Environment) start.Environment[name] = value;
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        (await process.StandardOutput.ReadLineAsync()).ShouldBe("ready", await Unless(process, errors));
        var clock = Stopwatch.StartNew();
        if (killAfter is { } time)
        {
            await Task.WhenAny(Task.Delay(time), process.WaitForExitAsync());
            process.Kill(); // SIGKILL
        }

        var output = await process.StandardOutput.ReadToEndAsync().WaitAsync(TimeSpan.FromMinutes(3));
        await process.WaitForExitAsync();
        process.ExitCode.ShouldBeOneOf([0, 137], await errors);
        return (process.ExitCode == 0 && output.Length > 0, output.Trim(), clock.Elapsed);
    }

    private static async Task<string?> Unless(Process process, Task<string> errors) => process.HasExited ? await errors : null;
}
