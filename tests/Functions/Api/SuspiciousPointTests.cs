using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Anomalies;
using FunctionsBackup.SelfHosting.Hosting.Access;
using FunctionsBackup.Storage.FileSystem;
using FunctionsBackup.Tests.Conformance;

namespace FunctionsBackup.Tests.Functions.Api;

/// <summary>Suspicious recovery points over HTTP: shown, decided by an approver, passed over by restores.</summary>
public sealed class SuspiciousPointTests : IAsyncLifetime
{
    private TestSite _site = null!;
    private ApiClient _api = null!;
    private string _operator = null!, _approver = null!, _point = null!, _later = null!;

    public async Task InitializeAsync()
    {
        _site = await TestSite.CreateAsync();
        var start = DateTimeOffset.UtcNow.AddHours(-3);
        await using var repository = await OpenAsync();
        _point = await CommitAsync(repository, start);
        _later = await CommitAsync(repository, start.AddHours(1));
        await new AnomalyStore(repository.Store, repository.Sealed).AddAsync(
            new AnomalyRecord(_point, start, "host", [new Anomaly(AnomalyKind.MassDeletion, "Most files are gone.", 0.9, 0.01)]), CancellationToken.None);
        var keys = new ApiKeys(Path.Combine(_site.StateFolder, "api-keys.json"), TimeProvider.System);
        (_operator, _approver) = (keys.Add("olga", Role.Operator), keys.Add("anna", Role.Approver));
        _api = new ApiClient(await _site.ServeAsync());
    }

    public async Task DisposeAsync()
    {
        _api.Dispose();
        await _site.DisposeAsync();
    }

    [Fact]
    public async Task What_is_suspicious_is_shown()
    {
        var point = await _api.SendAsync("GET", $"recovery-points/{_point}", key: _operator);
        point["standing"].ShouldBe("suspicious");
        ((string)point.Json["suspicion"]!["reasons"]![0]!).ShouldBe("Most files are gone.");
        var items = (await _api.SendAsync("GET", "recovery-points?component=logs", key: _operator)).Json["items"]!.AsArray();
        items.Select(i => (string)i!["standing"]!).ShouldBe(["tainted", "suspicious"]);
        var status = (await _api.SendAsync("GET", "status", key: _operator)).Json;
        ((int)status["components"]!.AsArray().Single(c => (string)c!["component"]! == "logs")!["suspicious"]!).ShouldBe(1);
    }

    [Theory]
    [InlineData("accept", "clean", true)]
    [InlineData("reject", "rejected", false)]
    public async Task An_approver_decides(string verb, string standing, bool accepted)
    {
        var body = """{ "reason": "a clean-up that was announced" }""";
        (await DecideAsync(_point, verb, body, _operator)).Detail.ShouldContain("needs the role approver");
        var decided = await DecideAsync(_point, verb, body, _approver);
        decided.Code.ShouldBe(200, decided.Text);
        decided["standing"].ShouldBe(standing);
        ((bool)decided.Json["suspicion"]!["accepted"]!).ShouldBe(accepted);
        ((string)decided.Json["suspicion"]!["decided_by"]!).ShouldBe("anna");
        var later = await _api.SendAsync("GET", $"recovery-points/{_later}", key: _approver);
        later["standing"].ShouldBe(accepted ? "clean" : "tainted");
        await using var repository = await OpenAsync();
        (await new AnomalyStore(repository.Store, repository.Sealed).ListAsync("logs", CancellationToken.None)).Of(_point)!.Decision!.Reason
            .ShouldBe("a clean-up that was announced");
    }

    [Fact]
    public async Task Bad_decisions_are_refused()
    {
        (await DecideAsync(_point, "accept", null, _approver)).Detail.ShouldContain("body is missing");
        (await DecideAsync(_point, "accept", """{ "reason": "  " }""", _approver)).Detail.ShouldContain("one line of at most 500");
        (await DecideAsync(_point, "accept", """{ "reason": "a\nb" }""", _approver)).Detail.ShouldContain("one line of at most 500");
        (await DecideAsync(_point, "forget", """{ "reason": "x" }""", _approver)).Code.ShouldBe(404);
        (await DecideAsync(_later, "accept", """{ "reason": "x" }""", _approver)).Detail.ShouldContain("nothing to decide");
        (await DecideAsync("20260101T000000Z-logs-00000000", "accept", """{ "reason": "x" }""", _approver)).Code.ShouldBe(404);
    }

    [Fact]
    public async Task A_restore_can_ask_for_the_last_one_before()
    {
        var body = $$"""{ "component": "logs", "target": "{{_site.Folder}}/restored", "before_anomaly": true{0} }""";
        (await _api.SendAsync("POST", "restores", body.Replace("{0}", $", \"point\": \"{_point}\""), _operator)).Detail.ShouldContain("goes with latest");
        var started = await _api.SendAsync("POST", "restores", body.Replace("{0}", ""), _operator);
        started.Code.ShouldBe(202, started.Text);
        var shown = await _api.SendAsync("GET", $"restores/{started["id"]}", key: _operator);
        ((bool)shown.Json["request"]!["before_anomaly"]!).ShouldBeTrue();
    }

    private Task<Reply> DecideAsync(string id, string verb, string? body, string key) => _api.SendAsync("POST", $"recovery-points/{id}/{verb}", body, key);

    private Task<BackupRepository> OpenAsync() =>
        TestRepository.OpenAsync(new FileSystemObjectStore(Path.Combine(_site.Folder, "repository"), TimeProvider.System));

    private static async Task<string> CommitAsync(BackupRepository repository, DateTimeOffset at)
    {
        await using var session = repository.BeginSession(new SessionOptions("logs", 1));
        return (await session.CommitAsync(new SnapshotDraft("full", null, at, [], null), CancellationToken.None)).Id;
    }
}
