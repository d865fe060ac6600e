using System.Diagnostics;
using FunctionsBackup.Components.PostgreSql.Verification;
using FunctionsBackup.Tests.Servers;

namespace FunctionsBackup.Tests.Components.PostgreSql.Servers;

/// <summary>The fixture itself: what every other PostgreSQL test stands on.</summary>
public sealed class PostgresServerTests
{
    [Theory]
    [InlineData(15)]
    [InlineData(17)]
    public async Task A_server_starts_survives_a_crash_and_leaves_nothing_behind(int version)
    {
        string scratch;
        await using (var server = await PostgresServer.StartAsync(new PostgresServerOptions { Version = version, WalSegmentMegabytes = 1 }))
        {
            scratch = server.Scratch;
            (await server.ScalarAsync<string>("show server_version_num")).ShouldStartWith(version.ToString());
            (await server.ScalarAsync<string>("show data_checksums")).ShouldBe("on");
            (await server.ScalarAsync<string>("show wal_segment_size")).ShouldBe("1MB");
            await server.ExecuteAsync("create table t as select n from generate_series(1, 1000) n");
            await server.RestartAsync(PostgresStop.Kill);
            (await server.QueryAsync("select count(*), sum(n) from t")).ShouldBe(["1000|500500"]);
            await server.StopAsync();
            server.IsRunning.ShouldBeFalse();
        }

        Directory.Exists(scratch).ShouldBeFalse();
    }

    [Fact]
    public async Task A_server_that_cannot_start_says_why()
    {
        var options = new PostgresServerOptions { Settings = new Dictionary<string, string> { ["shared_buffers"] = "nonsense" } };
        var error = await Should.ThrowAsync<InvalidOperationException>(() => PostgresServer.StartAsync(options));
        error.Message.ShouldContain("shared_buffers");
    }

    [Fact]
    public async Task A_supervised_program_ends_when_the_pipe_to_its_starter_does()
    {
        var scratch = await ScratchDirectory.CreateAsync(ServerUser.Current, "/tmp", "fbtest", CancellationToken.None);
        var process = await SupervisedProcess.StartAsync(
            ServerUser.Current, "sleep", ["1000"], Path.Combine(scratch.Path, "log"), CancellationToken.None);
        using var sleeping = Process.GetProcessById(process.ServerId);
        process.HasExited.ShouldBeFalse();

        // Closing the pipe is all that the end of this process would do to it.
        await process.DisposeAsync();
        await sleeping.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(20));
        await scratch.DisposeAsync();
        Directory.Exists(scratch.Path).ShouldBeFalse();
    }
}
