using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using FunctionsBackup.SelfHosting.Hosting;
using FunctionsBackup.SelfHosting.Hosting.Access;
using FunctionsBackup.SelfHosting.Hosting.Discovery;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace FunctionsBackup.Tests.SelfHosting.Hosting;

/// <summary>A whole host: a real server, a real engine, a real clock.</summary>
public sealed class HostTests : IAsyncLifetime
{
    private readonly StateFolder _folder = new();
    private readonly LogLines _log = new();
    private readonly List<FunctionsHost> _hosts = [];
    private readonly HttpClient _http = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        foreach (var host in _hosts) await host.DisposeAsync();
        _http.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_request_becomes_an_orchestration_with_activities_and_services()
    {
        var host = await ServeAsync();
        var answer = await _http.PostAsync(host.Addresses[0] + "api/greet/Ada?loud=true", null);
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        (await answer.Content.ReadAsStringAsync()).ShouldBe("\"HELLO ADA from the service\"");
        answer.Headers.Server.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("GET", "api/nothing", 404)]
    [InlineData("GET", "", 404)]
    [InlineData("GET", "api/greet/Ada", 405)]
    [InlineData("GET", "api/number/7", 200)]
    [InlineData("GET", "api/number/x", 400)]
    [InlineData("GET", "api/fails", 500)]
    [InlineData("POST", "api/large", 413)]
    public async Task What_goes_wrong_is_a_problem_with_one_sentence(string method, string path, int status)
    {
        var host = await ServeAsync();
        using var request = new HttpRequestMessage(new HttpMethod(method), host.Addresses[0] + path);
        if (method == "POST") request.Content = new ByteArrayContent(new byte[2 << 20]);
        var answer = await _http.SendAsync(request);
        ((int)answer.StatusCode).ShouldBe(status);
        if (status == 200) return;
        answer.Content.Headers.ContentType!.MediaType.ShouldBe("application/problem+json");
        var problem = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!;
        ((int)problem["status"]!).ShouldBe(status);
        ((string)problem["detail"]!).ShouldEndWith(status == 500 ? problem["detail"]!.ToString()[^1..] : ".");
        problem.ToJsonString().ShouldNotContain("secret detail");
    }

    [Fact]
    public async Task With_keys_only_they_open_and_wrong_ones_are_limited_and_never_logged()
    {
        var keys = new ApiKeys(Path.Combine(_folder.Path, "api-keys.json"), TimeProvider.System);
        var key = keys.Add("tests", Role.Operator);
        var host = await ServeAsync();
        (await StatusAsync(null)).ShouldBe(401);
        (await StatusAsync(key)).ShouldBe(200);
        (await StatusAsync(key, bearer: true)).ShouldBe(200);
        for (var i = 0; i < FailedAttempts.Limit; i++) (await StatusAsync("wrong-key-4711")).ShouldBe(401);
        (await StatusAsync("wrong-key-4711")).ShouldBe(429);
        (await StatusAsync(key)).ShouldBe(200); // the good key is not locked out
        (await _http.GetAsync(host.Addresses[0] + "api/open")).StatusCode.ShouldBe(HttpStatusCode.OK);
        _log.Lines.Count(l => l.Contains("wrong API key", StringComparison.Ordinal)).ShouldBe(FailedAttempts.Limit);
        _log.Lines.ShouldNotContain(l => l.Contains("4711", StringComparison.Ordinal) || l.Contains(key, StringComparison.Ordinal));

        async Task<int> StatusAsync(string? presented, bool bearer = false)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, host.Addresses[0] + "api/number/7");
            if (bearer) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", presented);
            else if (presented is not null) request.Headers.Add("x-functions-key", presented);
            return (int)(await _http.SendAsync(request)).StatusCode;
        }
    }

    [Theory]
    [InlineData("Host", "evil.example")] // a name that was made to point here
    [InlineData("Origin", "http://evil.example")]
    [InlineData("Sec-Fetch-Site", "cross-site")]
    public async Task Without_keys_a_browser_that_another_site_sends_is_refused(string header, string value)
    {
        var host = await ServeAsync();
        using var request = new HttpRequestMessage(HttpMethod.Get, host.Addresses[0] + "api/number/7");
        request.Headers.TryAddWithoutValidation(header, value);
        (await _http.SendAsync(request)).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task A_timer_runs_and_of_two_hosts_on_one_state_one_does_the_work()
    {
        var first = await ServeAsync();
        var second = await ServeAsync();
        await Functions.Ticked.Task.WaitAsync(TimeSpan.FromSeconds(60));
        second.StartEngine().ShouldBeFalse();
        // the other one is a client all the same
        (await _http.PostAsync(second.Addresses[0] + "api/greet/Bob", null)).StatusCode.ShouldBe(HttpStatusCode.OK);
        // and takes over when the first ends
        await first.StopAsync(CancellationToken.None);
        var id = await second.Client.ScheduleNewOrchestrationInstanceAsync(nameof(Functions.Greet), "Cid");
        var ended = await second.Client.WaitForInstanceCompletionAsync(id, true).WaitAsync(TimeSpan.FromSeconds(60));
        ended.ReadOutputAs<string>().ShouldBe("hello Cid from the service");
    }

    [Fact]
    public async Task A_stop_lets_what_runs_end_and_a_second_signal_cuts_it_short()
    {
        var host = await ServeAsync();
        var id = await host.Client.ScheduleNewOrchestrationInstanceAsync(nameof(Functions.Wait));
        await Functions.Waiting.Task.WaitAsync(TimeSpan.FromSeconds(60));
        using var now = new CancellationTokenSource();
        var stop = host.StopAsync(now.Token);
        await Should.ThrowAsync<HttpRequestException>(async () =>
        {
            while (true) await _http.GetAsync(host.Addresses[0] + "api/open");
        });
        stop.IsCompleted.ShouldBeFalse();
        await now.CancelAsync();
        await stop.WaitAsync(TimeSpan.FromSeconds(60));
        (await host.Client.GetInstanceAsync(id))!.RuntimeStatus.ShouldBe(OrchestrationRuntimeStatus.Running); // it goes on at the next start
    }

    [Fact]
    public async Task The_engine_alone_serves_no_HTTP_and_runs_no_timers()
    {
        var host = await BuildAsync();
        host.StartEngine().ShouldBeTrue();
        host.Addresses.ShouldBeEmpty();
        var id = await host.Client.ScheduleNewOrchestrationInstanceAsync(nameof(Functions.Greet), "Ada");
        (await host.Client.WaitForInstanceCompletionAsync(id, true)).ReadOutputAs<string>().ShouldBe("hello Ada from the service");
        File.Exists(Path.Combine(_folder.Path, "timers.sqlite")).ShouldBeFalse();
    }

    [Fact]
    public async Task Requests_beyond_the_limits_of_host_json_wait_or_are_refused()
    {
        _folder.Write("host.json", """
            { "version": "2.0", "extensions": { "http": { "maxConcurrentRequests": 1, "maxOutstandingRequests": 2 } } }
            """);
        var host = await ServeAsync();
        var address = host.Addresses[0] + "api/hold";
        var worked = _http.GetAsync(address);
        await Functions.Held.Task.WaitAsync(TimeSpan.FromSeconds(60)); // it is worked on
        // Of two more one waits and one is refused; which, is the server's to say.
        var (second, third) = (_http.GetAsync(address), _http.GetAsync(address));
        var refused = await (await Task.WhenAny(second, third)).WaitAsync(TimeSpan.FromSeconds(60));
        ((int)refused.StatusCode).ShouldBe(429);
        refused.Headers.RetryAfter!.Delta.ShouldBe(TimeSpan.FromSeconds(1));
        JsonNode.Parse(await refused.Content.ReadAsStringAsync())!["detail"]!.GetValue<string>().ShouldContain("as many requests as host.json allows");
        worked.IsCompleted.ShouldBeFalse();
        Functions.LetGo.SetResult();
        foreach (var answer in await Task.WhenAll(worked, second, third).WaitAsync(TimeSpan.FromSeconds(60)))
            if (answer != refused) answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        (await _http.GetAsync(address)).StatusCode.ShouldBe(HttpStatusCode.OK); // all places are free again
    }

    [Fact]
    public async Task A_port_in_use_is_a_sentence_and_nothing_runs()
    {
        var first = await ServeAsync();
        var second = await BuildAsync(first.Addresses[0].ToString());
        (await Should.ThrowAsync<HostingException>(() => second.StartAsync(CancellationToken.None))).Message.ShouldContain("choose another with --urls");
    }

    [Fact]
    public async Task The_state_folder_is_for_its_owner_alone()
    {
        var folder = Path.Combine(_folder.Path, "new");
        var host = await FunctionsHost.BuildAsync(Options() with { StateFolder = folder }, _ => { }, FunctionCatalog.Of([]), CancellationToken.None);
        await host.DisposeAsync();
        File.GetUnixFileMode(folder).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        foreach (var file in Directory.EnumerateFiles(folder))
            (File.GetUnixFileMode(file) & (UnixFileMode.GroupRead | UnixFileMode.OtherRead)).ShouldBe(UnixFileMode.None, file);
    }

    private FunctionsHostOptions Options(string url = "http://127.0.0.1:0") =>
        new() { ScriptRoot = _folder.Path, StateFolder = _folder.Path, Urls = [url], Loggers = _log };

    private async Task<FunctionsHost> BuildAsync(string url = "http://127.0.0.1:0")
    {
        var host = await FunctionsHost.BuildAsync(
            Options(url), services => services.AddSingleton(new Service("from the service")), FunctionCatalog.Of([typeof(Functions)]),
            CancellationToken.None);
        _hosts.Add(host);
        return host;
    }

    private async Task<FunctionsHost> ServeAsync()
    {
        var host = await BuildAsync();
        await host.StartAsync(CancellationToken.None);
        return host;
    }

    public sealed record Service(string Text);

    public sealed class Functions(Service service, ILogger<Functions> log)
    {
        public static TaskCompletionSource Ticked { get; } = new();

        public static TaskCompletionSource Waiting { get; } = new();

        [Function("GreetOverHttp")]
        public async Task<IActionResult> StartAsync(
            [HttpTrigger(AuthorizationLevel.Function, "post", Route = "greet/{name}")] HttpRequest request, string name,
            [DurableClient] DurableTaskClient client, FunctionContext context, CancellationToken cancellationToken)
        {
            context.FunctionDefinition.Name.ShouldBe("GreetOverHttp");
            request.HttpContext.RequestServices.GetRequiredService<Service>().ShouldBe(service);
            log.ShouldNotBeNull();
            var id = await client.ScheduleNewOrchestrationInstanceAsync(nameof(Greet), name, cancellation: cancellationToken);
            var done = await client.WaitForInstanceCompletionAsync(id, true, cancellationToken);
            var text = done.ReadOutputAs<string>()!;
            return new Text(request.Query["loud"] == "true" ? $"\"{text.Replace("hello Ada", "HELLO ADA")}\"" : text);
        }

        [Function(nameof(Greet))]
        public static Task<string> Greet([OrchestrationTrigger] TaskOrchestrationContext context) =>
            context.CallActivityAsync<string>(nameof(Compose), context.GetInput<string>());

        [Function(nameof(Compose))]
        public string Compose([ActivityTrigger] string name) => $"hello {name} {service.Text}";

        [Function(nameof(Wait))]
        public static Task Wait([OrchestrationTrigger] TaskOrchestrationContext context) => context.CallActivityAsync(nameof(WaitForStop));

        [Function(nameof(WaitForStop))]
        public static async Task WaitForStop([ActivityTrigger] object? input, CancellationToken cancellationToken)
        {
            Waiting.TrySetResult();
            await Task.Delay(Timeout.Infinite, cancellationToken);
        }

        [Function("Tick")]
        public static void Tick([TimerTrigger("* * * * * *")] TimerInfo timer) => Ticked.TrySetResult();

        [Function("Number")]
        public static IResult Number([HttpTrigger("get", Route = "number/{value}")] HttpRequest request, int value) => Results.Ok(value);

        [Function("Open")]
        public static IResult Open([HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "open")] HttpRequest request) => Results.Ok();

        public static TaskCompletionSource Held { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public static TaskCompletionSource LetGo { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        [Function("Hold")]
        public static async Task<IResult> Hold([HttpTrigger("get", Route = "hold")] HttpRequest request)
        {
            Held.TrySetResult();
            await LetGo.Task;
            return Results.Ok();
        }

        [Function("Fails")]
        public static IResult Fails([HttpTrigger("get", Route = "fails")] HttpRequest request) =>
            throw new InvalidOperationException("secret detail");

        [Function("Large")]
        public static async Task<IResult> Large([HttpTrigger("post", Route = "large")] HttpRequest request)
        {
            await request.Body.CopyToAsync(Stream.Null);
            return Results.Ok();
        }
    }

    private sealed class Text(string text) : IActionResult
    {
        public Task ExecuteResultAsync(ActionContext context) =>
            context.HttpContext.Response.Body.WriteAsync(Encoding.UTF8.GetBytes(text)).AsTask();
    }
}
