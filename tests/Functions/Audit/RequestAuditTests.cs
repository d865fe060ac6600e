using FunctionsBackup.Functions.Access;
using FunctionsBackup.Functions.Description;
using FunctionsBackup.Operations.Audit;
using FunctionsBackup.Orchestrations.Audit;
using FunctionsBackup.Orchestrations.Site;
using FunctionsBackup.SelfHosting.Hosting;
using FunctionsBackup.SelfHosting.Hosting.Access;
using FunctionsBackup.Tests.Functions.Api;
using Microsoft.Extensions.DependencyInjection;

namespace FunctionsBackup.Tests.Functions.Audit;

/// <summary>What is asked for over HTTP is in the audit log, and so is who was turned away.</summary>
public sealed class RequestAuditTests
{
    [Fact]
    public async Task Each_operation_that_is_more_than_a_look_leaves_its_entry()
    {
        await using var site = await TestSite.CreateAsync();
        var key = Keys(site).Add("otto", Role.Approver);
        var host = await site.ServeAsync();
        using var api = new ApiClient(host);
        var expected = new List<(string Action, AuditOutcome Outcome)>();
        foreach (var operation in ApiOperations.All.Where(o => o.Method != "get" && !o.IsJournal))
        {
            // Nothing of that name: each is refused, and recorded all the same.
            var verb = operation.Route.Contains("{verb}", StringComparison.Ordinal) ? "suspend" : null;
            var path = operation.Route.Replace("{id}", "nothing", StringComparison.Ordinal).Replace("{verb}", verb, StringComparison.Ordinal);
            (await api.SendAsync(operation.Method.ToUpperInvariant(), path, "{\"nonsense\":1}", key)).Code.ShouldBeInRange(400, 499, operation.Function);
            expected.Add((operation.Action ?? "work.suspend", AuditOutcome.Refused));
        }

        foreach (var operation in ApiOperations.All.Where(o => o.Method == "get"))
            await api.SendAsync("GET", operation.Route.Replace("{id}", "nothing", StringComparison.Ordinal), key: key);
        var entries = (await EntriesAsync(host)).Where(e => e.Action != AuditActions.ConfigurationChanged).ToList();
        entries.Select(e => (e.Action, e.Outcome)).ShouldBe(expected, ignoreOrder: true);
        entries.ShouldAllBe(e => e.Actor == new AuditActor(AuditActorKind.ApiKey, "otto", "approver") && e.RemoteAddress == "127.0.0.1" && e.Error != null);
    }

    [Fact]
    public async Task What_was_started_and_steered_is_joined_to_its_instance()
    {
        await using var site = await TestSite.CreateAsync();
        var host = await site.ServeAsync(); // without keys: whoever is on this machine
        using var api = new ApiClient(host);
        var started = await api.PostAsync("backups", "{\"components\":[\"logs\"]}");
        started.Code.ShouldBe(202);
        (await api.PostAsync($"backups/{started["id"]}/cancel", "{\"reason\":\"not <now>\"}")).Code.ShouldBe(202);
        var entries = await EntriesAsync(host);
        var request = entries.Single(e => e.Action == "backup.request");
        (request.Instance, request.Outcome, request.Actor).ShouldBe(
            (started["id"], AuditOutcome.Accepted, new AuditActor(AuditActorKind.Anonymous, "local", "approver")));
        request.Facts["request"].ShouldBe("POST /api/backups");
        var cancelled = entries.Single(e => e.Action == AuditActions.WorkCancel);
        (cancelled.Instance, cancelled.Target, cancelled.Facts["reason"]).ShouldBe((started["id"], started["id"], "not <now>"));
    }

    [Fact]
    public async Task Who_is_turned_away_is_recorded_without_the_key_that_was_shown()
    {
        await using var site = await TestSite.CreateAsync();
        var key = Keys(site).Add("vera", Role.Viewer);
        var host = await site.ServeAsync();
        using var api = new ApiClient(host);
        (await api.PostAsync("backups")).Code.ShouldBe(401);
        (await api.SendAsync("POST", "backups", key: "PLANTED-wrong-key")).Code.ShouldBe(401);
        (await api.SendAsync("POST", "backups", key: key)).Code.ShouldBe(403);
        (await api.SendAsync("GET", "status", key: key)).Code.ShouldBe(200);
        var entries = (await EntriesAsync(host)).Where(e => e.Action == AuditActions.AccessDenied).ToList();
        entries.Select(e => e.Facts["status"]).ShouldBe(["401", "401", "403"]);
        entries.ShouldAllBe(e => e.Outcome == AuditOutcome.Denied && e.RemoteAddress == "127.0.0.1");
        entries[2].Actor.ShouldBe(new AuditActor(AuditActorKind.ApiKey, "vera", "viewer"));
        entries.Select(e => e.Target).ShouldBe(["POST api/backups", "POST api/backups", "POST backups"]);
        foreach (var entry in entries) System.Text.Encoding.UTF8.GetString(AuditJson.Write(entry)).ShouldNotContain("PLANTED");
        foreach (var entry in entries) System.Text.Encoding.UTF8.GetString(AuditJson.Write(entry)).ShouldNotContain(key);
    }

    [Theory]
    [InlineData("""{"auth_typ":"aad","name_typ":"name","role_typ":"roles","claims":[{"typ":"name","val":"Anna"},{"typ":"oid","val":"0f1e"},{"typ":"roles","val":"operator"}]}""",
        AuditActorKind.EntraId, "Anna", "0f1e")]
    [InlineData(null, AuditActorKind.FunctionKey, "function key", null)]
    public void On_Azure_it_is_the_principal_or_a_key_that_names_nobody(string? principal, AuditActorKind kind, string name, string? id)
    {
        var settings = new Microsoft.Extensions.Configuration.ConfigurationBuilder();
        Microsoft.Extensions.Configuration.MemoryConfigurationBuilderExtensions.AddInMemoryCollection(
            settings, new Dictionary<string, string?> { ["WEBSITE_AUTH_ENABLED"] = "true" });
        var request = new Microsoft.AspNetCore.Http.DefaultHttpContext().Request;
        if (principal is not null)
            request.Headers["X-MS-CLIENT-PRINCIPAL"] = Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(principal));
        var caller = new AzureCallers(settings.Build()).Find(request);
        (caller.Kind, caller.Name, caller.Id).ShouldBe((kind, name, id));
    }

    private static ApiKeys Keys(TestSite site) => new(Path.Combine(site.StateFolder, "api-keys.json"), TimeProvider.System);

    private static async Task<List<AuditEntry>> EntriesAsync(FunctionsHost host)
    {
        var site = host.Services.GetRequiredService<BackupSite>();
        (await site.Audit.FlushAsync(CancellationToken.None)).ShouldBeTrue(site.Audit.Trouble);
        await using var lease = await site.Repositories.RentRecordsAsync(CancellationToken.None);
        return await new AuditReader(lease.Repository).ReadAsync(new AuditFilter(), CancellationToken.None).Select(r => r.Entry).ToListAsync();
    }
}
