using FunctionsBackup.SelfHosting.Hosting;

namespace FunctionsBackup.Tests.Functions.Api;

/// <summary>Starting, asking and steering over real HTTP on the real engine.</summary>
public sealed class ApiTests : IAsyncLifetime
{
    private TestSite _site = null!;
    private FunctionsHost _host = null!;
    private ApiClient _api = null!;

    public async Task InitializeAsync()
    {
        _site = await TestSite.CreateAsync();
        _host = await _site.ServeAsync();
        _api = new ApiClient(_host);
    }

    public async Task DisposeAsync()
    {
        _api.Dispose();
        await _site.DisposeAsync();
    }

    [Theory]
    [InlineData("backups", null)]
    [InlineData("backups", """{ "components": ["voice_data"], "full": true, "verify": "none" }""")]
    [InlineData("verifications", null)]
    [InlineData("restores", """{ "component": "voice_data", "target": "/srv/restored" }""")]
    [InlineData("site-restores", """{ "target": "/srv/site", "to_time": "2026-11-20T12:00:00Z" }""")]
    public async Task A_start_is_accepted_and_a_second_one_is_answered_with_the_first(string path, string? body)
    {
        var first = await _api.PostAsync(path, body);
        first.Code.ShouldBe(202, first.Text);
        ((bool)first.Json["started"]!).ShouldBeTrue();
        first.Location.ShouldBe($"/api/{path}/{first["id"]}");
        first["status_url"].ShouldBe(first.Location);

        var second = await _api.PostAsync(path, body);
        second.Code.ShouldBe(202);
        ((bool)second.Json["started"]!).ShouldBeFalse();
        second["id"].ShouldBe(first["id"]);

        var shown = await _api.GetAsync(first.Location!);
        shown.Code.ShouldBe(200);
        shown["id"].ShouldBe(first["id"]);
    }

    [Fact]
    public async Task A_run_shows_its_request_progress_and_result()
    {
        var id = (await _api.PostAsync("backups", """{ "components": ["logs"] }"""))["id"]!;
        await _host.Client.WaitForInstanceStartAsync(id).WaitAsync(TimeSpan.FromSeconds(60));
        await UntilAsync(async () => (await _api.GetAsync($"backups/{id}")).Json["progress"] is not null);
        var running = await _api.GetAsync($"backups/{id}");
        running["status"].ShouldBe("running");
        running.Json["request"]!["components"]!.AsArray().Select(c => (string)c!).ShouldBe(["logs"]);
        ((string)running.Json["request"]!["requested_by"]!).ShouldBe("local");
        ((string)running.Json["progress"]!["phase"]!).ShouldBe("storing");

        (await _api.PostAsync($"backups/{id}/cancel", """{ "reason": "maintenance" }""")).Code.ShouldBe(202);
        await _host.Client.WaitForInstanceCompletionAsync(id).WaitAsync(TimeSpan.FromSeconds(60));
        var ended = await _api.GetAsync($"backups/{id}");
        ended["status"].ShouldBe("completed");
        ((string)ended.Json["result"]!["outcome"]!).ShouldBe("cancelled");
        (await _api.PostAsync($"backups/{id}/cancel")).Detail.ShouldContain("has ended already");
    }

    [Fact]
    public async Task A_run_can_be_suspended_resumed_and_terminated()
    {
        var id = (await _api.PostAsync("backups"))["id"]!;
        await _host.Client.WaitForInstanceStartAsync(id).WaitAsync(TimeSpan.FromSeconds(60));
        foreach (var (verb, status) in new[] { ("suspend", "suspended"), ("resume", "running"), ("terminate", "terminated") })
        {
            var reply = await _api.PostAsync($"backups/{id}/{verb}");
            reply.Code.ShouldBe(202);
            reply.Location.ShouldBe($"/api/backups/{id}");
            await UntilAsync(async () => (await _api.GetAsync($"backups/{id}"))["status"] == status);
        }
    }

    [Fact]
    public async Task Runs_are_listed_with_filters_and_in_pages()
    {
        var ids = new List<string>();
        foreach (var component in new[] { "voice_data", "logs" })
            ids.Add((await _api.PostAsync("backups", $$"""{ "components": ["{{component}}"] }"""))["id"]!);
        await _api.PostAsync("verifications");
        await _host.Client.WaitForInstanceStartAsync(ids[0]).WaitAsync(TimeSpan.FromSeconds(60));
        await _api.PostAsync($"backups/{ids[0]}/terminate");
        await _host.Client.WaitForInstanceCompletionAsync(ids[0]).WaitAsync(TimeSpan.FromSeconds(60));

        (await ListAsync("backups")).ShouldBe(ids, ignoreOrder: true);
        (await ListAsync("backups?status=terminated")).ShouldBe([ids[0]]);
        (await ListAsync("backups?status=running,pending")).ShouldBe([ids[1]]);
        (await ListAsync("backups?from=2020-01-01T00:00:00Z&to=2021-01-01T00:00:00Z")).ShouldBeEmpty();
        (await ListAsync("verifications")).Count.ShouldBe(1);

        var first = await _api.GetAsync("backups?limit=1");
        var next = await _api.GetAsync($"backups?limit=1&continuation={Uri.EscapeDataString(first["continuation"]!)}");
        new[] { first, next }.SelectMany(r => r.Json["items"]!.AsArray()).Select(i => (string)i!["id"]!).ShouldBe(ids, ignoreOrder: true);
    }

    [Fact]
    public async Task Status_recovery_points_metrics_and_health_answer()
    {
        var status = await _api.GetAsync("status");
        status.Code.ShouldBe(200);
        ((bool)status.Json["well"]!).ShouldBeFalse();
        status.Json["components"]!.AsArray().Select(c => (string)c!["component"]!).ShouldBe(["voice_data", "logs"]);
        status.Text.ShouldContain("has no recovery point");
        (await _api.GetAsync("recovery-points?component=logs")).Json["items"]!.AsArray().ShouldBeEmpty();
        (await _api.GetAsync("recovery-points/nothing")).Code.ShouldBe(404);
        var metrics = await _api.GetAsync("metrics");
        metrics.ContentType.ShouldBe("text/plain");
        metrics.Text.ShouldContain("voice_agent_backup_objective_rpo_seconds{component=\"voice_data\"} 21600\n");
        (await _api.GetAsync("health/live"))["status"].ShouldBe("live");
        (await _api.GetAsync("health/ready"))["status"].ShouldBe("ready");
    }

    [Fact]
    public async Task Status_shows_what_is_at_work_and_how_replicas_stand()
    {
        var copy = Path.Combine(_site.Folder, "copy");
        await File.WriteAllTextAsync(_site.ConfigurationFile, TestSite.Yaml + $$"""
              replication:
                replicas:
                  - { name: here, storage_backend: filesystem, path: {{copy}} }
                  - { name: gone, storage_backend: filesystem, path: {{_site.Folder}}/nowhere }

            """);
        FunctionsBackup.Storage.FileSystem.FileSystemObjectStore.Initialize(copy);
        var started = await _api.PostAsync("backups", """{ "components": ["logs"] }""");
        started.Code.ShouldBe(202, started.Text);
        var id = started["id"]!;
        await _host.Client.WaitForInstanceStartAsync(id).WaitAsync(TimeSpan.FromSeconds(60));
        var status = await _api.GetAsync("status");
        status.Code.ShouldBe(200, status.Text);
        var work = status.Json["work"]!.AsArray().ShouldHaveSingleItem()!;
        ((string)work["instance"]!).ShouldBe(id);
        ((string)work["kind"]!).ShouldBe("backup");
        work["components"]!.AsArray().Select(c => (string)c!).ShouldBe(["logs"]);
        var replicas = status.Json["replicas"]!.AsArray().ToDictionary(r => (string)r!["replica"]!, r => r!);
        ((string)replicas["here"]["state"]!).ShouldBe("empty");
        ((string)replicas["gone"]["state"]!).ShouldBe("unreachable");
        replicas.Values.ShouldAllBe(r => !(bool)r["well"]! && ((string)r["reason"]!).Length > 0);

        await _api.PostAsync($"backups/{id}/terminate");
        await _host.Client.WaitForInstanceCompletionAsync(id).WaitAsync(TimeSpan.FromSeconds(60));
        (await _api.GetAsync("status")).Json["work"]!.AsArray().ShouldBeEmpty();
    }

    [Fact]
    public async Task Without_a_usable_configuration_nothing_starts_and_readiness_tells_no_secret()
    {
        foreach (var text in new[] { "backup_config: { global: { parallel_jobs: lots-of-them } }", null })
        {
            if (text is null) File.Delete(_site.ConfigurationFile);
            else File.WriteAllText(_site.ConfigurationFile, text);
            foreach (var (path, body) in new[]
            {
                ("backups", null), ("verifications", null), ("restores", """{ "component": "logs", "target": "/srv/restored" }"""),
            })
            {
                var reply = await _api.PostAsync(path, body);
                reply.Code.ShouldBe(409);
                reply.Detail.ShouldContain(text is null ? "There is no configuration file" : "global.parallel_jobs must be");
            }

            var ready = await _api.GetAsync("health/ready");
            ready.Code.ShouldBe(503);
            ready.Detail.ShouldNotContain("lots-of-them");
            (await _api.GetAsync("health/live")).Code.ShouldBe(200);
        }

        (await ListAsync("backups")).ShouldBeEmpty();
    }

    private async Task<List<string>> ListAsync(string path) =>
        [.. (await _api.GetAsync(path)).Json["items"]!.AsArray().Select(i => (string)i!["id"]!)];

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!await condition()) await Task.Delay(20, limit.Token);
    }
}
