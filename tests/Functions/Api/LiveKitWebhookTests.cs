using System.Text;
using FunctionsBackup.Components.LiveKit.Journal;
using FunctionsBackup.SelfHosting.Hosting;
using FunctionsBackup.Storage.FileSystem;
using FunctionsBackup.Tests.Conformance;
using FunctionsBackup.Tests.Servers;

namespace FunctionsBackup.Tests.Functions.Api;

/// <summary>Events of a LiveKit server over real HTTP into the repository.</summary>
public sealed class LiveKitWebhookTests : IAsyncLifetime
{
    private TestSite _site = null!;
    private FunctionsHost _host = null!;
    private HttpClient _http = null!;

    public async Task InitializeAsync()
    {
        _site = await TestSite.CreateAsync();
        foreach (var (name, secret) in new[] { ("key", LiveKitServer.ApiKey), ("secret", LiveKitServer.ApiSecret) })
        {
            await File.WriteAllTextAsync(Path.Combine(_site.Folder, name), secret);
            File.SetUnixFileMode(Path.Combine(_site.Folder, name), UnixFileMode.UserRead);
        }

        var livekit = $"    livekit: {{ url: \"http://127.0.0.1:1\", api_key: \"file:{_site.Folder}/key\", api_secret: \"file:{_site.Folder}/secret\" }}\n";
        await File.WriteAllTextAsync(_site.ConfigurationFile, TestSite.Yaml.Replace("  policies:\n", livekit + "  policies:\n", StringComparison.Ordinal));
        _host = await _site.ServeAsync();
        _http = new HttpClient { BaseAddress = new Uri(_host.Addresses[0], "api/") };
    }

    public async Task DisposeAsync()
    {
        _http.Dispose();
        await _site.DisposeAsync();
    }

    [Fact]
    public async Task What_is_signed_is_durable_when_it_is_answered_and_kept_once()
    {
        var (first, second) = (LiveKitWebhook.Event("EV_a", "room_started", 10), LiveKitWebhook.Event("EV_b", "room_finished", 20));
        var answers = await Task.WhenAll(SendAsync(second), SendAsync(first), SendAsync(first));
        answers.ShouldAllBe(a => a.Status == 200);
        (await SendAsync(first)).Text.ShouldBe("""{"kept":false}""");
        await using var repository = await TestRepository.OpenAsync(new FileSystemObjectStore(Path.Combine(_site.Folder, "repository"), TimeProvider.System));
        (await new LiveKitJournal(repository).ReadAsync(default, CancellationToken.None)).Select(e => e.Id).ShouldBe(["EV_a", "EV_b"]);
        Directory.GetFiles(Path.Combine(_site.Folder, "repository", "journals"), "*", SearchOption.AllDirectories).Length.ShouldBeInRange(1, 2);
    }

    [Fact]
    public async Task What_is_not_signed_by_the_server_is_refused_and_leaves_nothing()
    {
        var body = LiveKitWebhook.Event("EV_a", "room_started", 10);
        (await SendAsync(body, "")).Status.ShouldBe(403);
        (await SendAsync(body, LiveKitWebhook.Sign(body, secret: "wrong"))).Status.ShouldBe(403);
        (await SendAsync(body, LiveKitWebhook.Sign(body + " "))).Status.ShouldBe(403);
        var refused = await SendAsync(body, LiveKitWebhook.Sign(body, validSeconds: -1000));
        refused.Status.ShouldBe(403);
        refused.Text.ShouldNotContain("expired");
        (await SendAsync("[]", LiveKitWebhook.Sign("[]"))).Status.ShouldBe(400);
        var large = LiveKitWebhook.Event(new string('x', 2 << 20), "room_started", 10);
        (await SendAsync(large, LiveKitWebhook.Sign(large))).Status.ShouldBe(413);
        Directory.Exists(Path.Combine(_site.Folder, "repository", "journals")).ShouldBeFalse();
    }

    private async Task<(int Status, string Text)> SendAsync(string body, string? authorization = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "livekit/webhook");
        request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
        request.Content.Headers.TryAddWithoutValidation("Content-Type", "application/webhook+json");
        request.Headers.ExpectContinue = body.Length > 1 << 20;
        if (authorization != "") request.Headers.TryAddWithoutValidation("Authorization", authorization ?? LiveKitWebhook.Sign(body));
        using var response = await _http.SendAsync(request);
        return ((int)response.StatusCode, await response.Content.ReadAsStringAsync());
    }
}
