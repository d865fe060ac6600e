using FunctionsBackup.SelfHosting.Hosting;
using Microsoft.DurableTask.Client;

namespace FunctionsBackup.Tests.Functions.Api;

/// <summary>What is wrong is refused with one clear sentence, and nothing is started.</summary>
public sealed class BadInputTests : IAsyncLifetime
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
    // JSON
    [InlineData("backups", "{", 400, "The body is not valid JSON at line 1")]
    [InlineData("backups", "[]", 400, "wrong kind")]
    [InlineData("backups", "null", 400, "The body is null")]
    [InlineData("backups", "{} {}", 400, "not valid JSON")]
    [InlineData("backups", """{ "componets": [] }""", 400, "a field that is not known at componets")]
    [InlineData("backups", """{ "Components": [] }""", 400, "a field that is not known")]
    [InlineData("backups", """{ "full": true, "full": false }""", 400, "a field twice")]
    [InlineData("backups", """{ "full": "yes" }""", 400, "a value of the wrong kind at full")]
    [InlineData("backups", """{ "components": null }""", 400, "a value of the wrong kind")]
    [InlineData("backups", """{ "components": [null] }""", 400, "has an item that is null")]
    // sense
    [InlineData("backups", """{ "components": ["mysql"] }""", 400, "There is no component 'mysql'")]
    [InlineData("backups", """{ "components": ["postgrs"] }""", 400, "did you mean 'postgres'?")]
    [InlineData("backups", """{ "components": ["postgres"] }""", 400, "postgres is not configured")]
    [InlineData("backups", """{ "components": ["redis"] }""", 400, "redis is not configured")]
    [InlineData("backups", """{ "verify": "sample:0" }""", 400, "The level must be")]
    [InlineData("verifications", """{ "level": "deep" }""", 400, "The level must be")]
    [InlineData("verifications", """{ "recovery_points": ["no-such-point"] }""", 404, "no-such-point")]
    [InlineData("verifications", """{ "recovery_points": ["../../etc/passwd"] }""", 404, "There is no such recovery point")]
    [InlineData("restores", null, 400, "The body is missing")]
    [InlineData("restores", "{}", 400, "The body lacks a field that must be there")]
    [InlineData("restores", """{ "component": "nothing", "target": "/srv/x" }""", 400, "There is no component 'nothing'")]
    [InlineData("restores", """{ "component": "logs", "target": "/srv/x", "to_time": "2999-01-01T00:00:00Z" }""", 400, "to_time is in the future")]
    [InlineData("restores", """{ "component": "logs", "target": "/srv/x", "to_time": "yesterday" }""", 400, "wrong kind at to_time")]
    [InlineData("restores", """{ "component": "logs", "target": "/srv/x", "point": "nothing" }""", 404, "nothing")]
    [InlineData("restores", """{ "component": "logs", "target": "/srv/x", "restore_command": "sh" }""", 400, "a field that is not known")]
    [InlineData("restores", """{ "component": "logs", "target": "relative" }""", 400, "The target must be an absolute path")]
    [InlineData("restores", """{ "component": "logs", "target": "" }""", 400, "The target must be an absolute path")]
    [InlineData("restores", """{ "component": "logs", "target": "/srv/../etc" }""", 400, "must not have '.' or '..'")]
    [InlineData("restores", """{ "component": "logs", "target": "/etc/cron.d" }""", 400, "a folder of the system")]
    [InlineData("restores", """{ "component": "logs", "target": "//etc" }""", 400, "a folder of the system")]
    [InlineData("restores", """{ "component": "logs", "target": "/" }""", 400, "a folder of the system")]
    [InlineData("restores", """{ "component": "logs", "target": "/srv/a\u0000b" }""", 400, "The target must be an absolute path")]
    [InlineData("restores", """{ "component": "logs", "target": "/srv/x", "to_lsn": "1/0" }""", 400, "has no meaning")]
    [InlineData("restores", """{ "component": "logs", "target": "/srv/x", "delete_extra": true }""", 400, "delete_extra goes with delta only")]
    [InlineData("restores", """{ "component": "logs", "target": "kubernetes" }""", 400, "The target must be an absolute path")]
    [InlineData("restores", """{ "component": "logs", "target": "/srv/x", "exact": true }""", 400, "livekit")]
    [InlineData("site-restores", "{}", 400, "The body lacks a field that must be there")]
    [InlineData("site-restores", """{ "target": "relative" }""", 400, "The target must be an absolute path")]
    [InlineData("site-restores", """{ "target": "/etc/site" }""", 400, "a folder of the system")]
    [InlineData("site-restores", """{ "target": "kubernetes" }""", 400, "The target must be an absolute path")]
    [InlineData("site-restores", """{ "target": "/srv/x", "components": ["nothing"] }""", 400, "are not available")]
    [InlineData("site-restores", """{ "target": "/srv/x", "to_time": "2999-01-01T00:00:00Z" }""", 400, "to_time is in the future")]
    public async Task A_body_that_is_wrong_starts_nothing(string path, string? body, int status, string sentence)
    {
        var reply = await _api.PostAsync(path, body);
        reply.Code.ShouldBe(status, reply.Text);
        reply.Detail.ShouldContain(sentence);
        await NothingStartedAsync();
    }

    [Fact]
    public async Task A_target_that_holds_the_repository_or_leads_into_the_system_is_refused()
    {
        Directory.CreateSymbolicLink(Path.Combine(_site.Folder, "link"), "/etc");
        foreach (var (target, sentence) in new[]
        {
            (_site.Folder, "lie within each other"), (_site.Folder + "/repository/packs", "lie within each other"),
            (_site.Folder + "/link/cron.d", "a folder of the system"),
        })
        {
            var reply = await _api.PostAsync("restores", $$"""{ "component": "logs", "target": "{{target}}", "overwrite": true }""");
            reply.Code.ShouldBe(400);
            reply.Detail.ShouldContain(sentence);
        }

        await NothingStartedAsync();
    }

    [Fact]
    public async Task Bodies_are_bounded_and_must_be_JSON()
    {
        foreach (var size in new[] { 70_000, 3_000_000 })
        {
            var large = await _api.PostAsync("backups", $$"""{ "verify": "{{new string('x', size)}}" }""");
            large.Code.ShouldBe(413);
            large.Detail.ShouldContain("larger than 64 KiB");
        }

        foreach (var type in new[] { "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/json; charset=utf-16", "" })
            (await _api.SendAsync("POST", "backups", "{}", contentType: type)).Code.ShouldBe(415, type);
        (await _api.SendAsync("POST", "backups", "{}", contentType: "application/json; charset=UTF-8")).Code.ShouldBe(202);
    }

    [Theory]
    [InlineData("backups?status=done", 400, "must be of pending, running")]
    [InlineData("backups?limit=0", 400, "from 1 to 200")]
    [InlineData("backups?limit=1000000", 400, "from 1 to 200")]
    [InlineData("backups?from=yesterday", 400, "must be a time as")]
    [InlineData("backups?from=2999-01-01T00:00:00Z", 400, "is in the future")]
    [InlineData("backups?stauts=running", 400, "a query parameter that is not known")]
    [InlineData("backups?limit=1&limit=2", 400, "more than once")]
    [InlineData("backups?continuation=%00%01", 400, "")]
    [InlineData("recovery-points?component=mysql", 400, "There is no such component")]
    [InlineData("recovery-points?continuation=nothing", 400, "not one that was given out")]
    [InlineData("backups/backup-nothing", 404, "There is no such backup")]
    [InlineData("backups/verify-all-20260101T0000Z", 404, "There is no such backup")]
    [InlineData("backups/..%2F..%2Fetc", 404, "")]
    [InlineData("recovery-points/..%2F..%2Fetc%2Fpasswd", 404, "")]
    public async Task So_is_what_is_asked_for(string path, int status, string sentence)
    {
        var reply = await _api.GetAsync(path);
        reply.Code.ShouldBe(status, reply.Text);
        reply.Detail.ShouldContain(sentence);
    }

    [Theory]
    [InlineData("DELETE", "backups", 405)]
    [InlineData("PUT", "backups/backup-x", 405)]
    [InlineData("POST", "status", 405)]
    [InlineData("POST", "backups/backup-x/cancel", 404)]
    [InlineData("POST", "backups/backup-x/explode", 404)]
    public async Task So_are_methods_and_verbs(string method, string path, int status)
    {
        var reply = await _api.SendAsync(method, path);
        reply.Code.ShouldBe(status);
        reply.Detail.ShouldNotBeEmpty();
    }

    private async Task NothingStartedAsync()
    {
        await foreach (var instance in _host.Client.GetAllInstancesAsync(new OrchestrationQuery()))
            instance.InstanceId.ShouldStartWith("retention-", Case.Sensitive, "only what a timer may have started");
    }
}
