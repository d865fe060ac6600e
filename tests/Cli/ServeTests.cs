using System.Net;

namespace FunctionsBackup.Tests.Cli;

/// <summary>The host as a program: where it listens, what it does for commands, how it stops.</summary>
public sealed class ServeTests(DatabaseFixture database) : IClassFixture<DatabaseFixture>, IAsyncLifetime
{
    private static readonly string[] Both = ["postgres", "voice_data"];
    private readonly WorkSite _site = new(database.Server);

    private Fbackup Fbackup => _site.Fbackup;

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _site.DisposeAsync();

    [Theory]
    [InlineData(Signal.Terminate, 0)]
    [InlineData(Signal.Interrupt, 130)]
    public async Task It_serves_this_machine_and_stops_when_told(int signal, int exitCode)
    {
        var (serve, address) = await StartAsync();
        using var serving = serve;
        address.IsLoopback.ShouldBeTrue();
        using var client = new HttpClient { BaseAddress = address };
        foreach (var path in (string[])["api/health/live", "api/health/ready"])
            (await client.GetAsync(path)).StatusCode.ShouldBe(HttpStatusCode.OK, path);
        (await client.GetAsync("api/nothing")).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        serve.Signal(signal);
        var ended = (await serve.EndAsync()).Expect(exitCode);
        ended.Output.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("http://0.0.0.0:0", "There are no API keys")]
    [InlineData("http://*:0", "There are no API keys")]
    [InlineData("http://[::]:0", "There are no API keys")]
    [InlineData("https://127.0.0.1:0", "plain HTTP")]
    [InlineData("127.0.0.1", "is no address to listen at")]
    [InlineData("http://127.0.0.1:99999", "is no address to listen at")]
    [InlineData("http://example.invalid:7071", "names a host")]
    public void An_address_that_it_must_not_or_cannot_listen_at_is_a_mistake_of_usage(string url, string sentence)
    {
        var ran = Fbackup.Run("serve", "--urls", url).Expect(2);
        ran.Error.ShouldStartWith("fbackup: ");
        ran.Error.ShouldContain(sentence);
        ran.Error.TrimEnd('\n').ShouldNotContain("\n");
    }

    [Fact]
    public async Task With_a_key_it_listens_where_it_is_told_and_asks_for_the_key()
    {
        var key = Fbackup.Run("serve", "keys", "add", "monitor", "--role", "viewer", "--json").Expect(0).Json["key"]!.GetValue<string>();
        var (serve, address) = await StartAsync("http://0.0.0.0:0");
        using var serving = serve;
        using var client = new HttpClient { BaseAddress = new UriBuilder(address) { Host = "127.0.0.1" }.Uri };
        (await client.GetAsync("api/backups")).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        client.DefaultRequestHeaders.Add("x-functions-key", key);
        (await client.GetAsync("api/backups")).StatusCode.ShouldBe(HttpStatusCode.OK);
        serve.Signal(Signal.Terminate);
        (await serve.EndAsync()).Expect(0).Error.ShouldNotContain(key);
    }

    [Fact]
    public async Task What_a_killed_command_left_it_goes_on_with()
    {
        var (backup, id) = await _site.BeginBackupAsync();
        using var running = backup;
        backup.Signal(Signal.Kill);
        await backup.EndAsync();
        var (serve, _) = await StartAsync();
        using var serving = serve;

        // A command that follows only looks on: left, it takes nothing with it.
        using var follower = new RunningFbackup(Fbackup, "work", "follow", id, "--json", "--on-interrupt", "detach");
        await follower.PrintsAsync("progress");
        follower.Signal(Signal.Interrupt);
        (await follower.EndAsync()).Expect(130).Error.ShouldContain($"{id} goes on");
        _site.Gate.Open();
        Fbackup.Run("work", "follow", id).Expect(0);
        _site.Snapshots().ShouldBe(Both);
        _site.AllBackups().ShouldBe([id]);
        serve.Signal(Signal.Terminate);
        (await serve.EndAsync()).Expect(0);
    }

    [Fact]
    public async Task What_it_was_at_when_it_was_stopped_a_waiting_command_goes_on_with()
    {
        var (serve, _) = await StartAsync();
        using var serving = serve;
        var (backup, id) = await _site.BeginBackupAsync();
        using var running = backup;
        serve.Signal(Signal.Terminate);
        _site.Gate.Open(); // the unit that runs may end
        (await serve.EndAsync()).Expect(0);
        var ended = (await backup.EndAsync()).Expect(0);
        ended.Events[^1]["instance"]!.GetValue<string>().ShouldBe(id);
        _site.Snapshots().ShouldBe(Both);
        _site.AllBackups().ShouldBe([id]);
    }

    private async Task<(RunningFbackup Serve, Uri Address)> StartAsync(string url = "http://127.0.0.1:0")
    {
        var serve = new RunningFbackup(Fbackup, "serve", "--urls", url);
        var line = await serve.SaysAsync("Serving at ");
        return (serve, new Uri(line.Split(' ')[2].TrimEnd(',')));
    }
}
