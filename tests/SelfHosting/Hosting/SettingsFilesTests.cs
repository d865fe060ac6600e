using FunctionsBackup.SelfHosting.Hosting;
using FunctionsBackup.SelfHosting.Hosting.Http;
using FunctionsBackup.SelfHosting.Hosting.Settings;

namespace FunctionsBackup.Tests.SelfHosting.Hosting;

public sealed class SettingsFilesTests : IDisposable
{
    private readonly StateFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Host_json_is_read_with_comments()
    {
        var host = HostJson.Load(_folder.Write("host.json", """
            {
              "version": "2.0", // of the schema
              "functionTimeout": "00:05:00",
              "logging": { "logLevel": { "default": "Information" } },
              "extensions": {
                "http": { "routePrefix": "/v1/", "maxConcurrentRequests": 10, "maxOutstandingRequests": 20, "dynamicThrottlesEnabled": true },
                "durableTask": { "maxConcurrentActivityFunctions": 7, "maxConcurrentOrchestratorFunctions": 3, },
              },
            }
            """));
        host.ShouldBe(new HostJson
        {
            RoutePrefix = "v1", MaxConcurrentRequests = 10, MaxOutstandingRequests = 20, MaxConcurrentActivities = 7, MaxConcurrentOrchestrators = 3, FunctionTimeout = TimeSpan.FromMinutes(5),
        });
    }

    [Fact]
    public void Minus_one_is_no_limit() => HostJson.Load(_folder.Write(
        "host.json", "{\"version\":\"2.0\",\"extensions\":{\"http\":{\"maxConcurrentRequests\":-1}}}")).ShouldBe(new HostJson());

    [Fact]
    public void Without_host_json_the_prefix_is_api() => HostJson.Load(Path.Combine(_folder.Path, "none.json")).ShouldBe(new HostJson());

    [Theory]
    [InlineData("{", "is not valid JSON at line 1, byte 2")]
    [InlineData("[]", "must hold a JSON object")]
    [InlineData("{}", "must have \"version\": \"2.0\"")]
    [InlineData("{\"version\":\"2.0\",\"functionTimeout\":\"soon\"}", "functionTimeout must be \"hh:mm:ss\"")]
    [InlineData("{\"version\":\"2.0\",\"extensions\":{\"http\":{\"routePrefix\":\"a b\"}}}", "extensions.http.routePrefix must be a path")]
    [InlineData("{\"version\":\"2.0\",\"extensions\":{\"http\":{\"maxConcurentRequests\":5}}}", "extensions.http.maxConcurentRequests is no setting")]
    [InlineData("{\"version\":\"2.0\",\"extensions\":{\"http\":{\"maxConcurrentRequests\":0}}}", "must be a whole number from 1 to 10000")]
    [InlineData("{\"version\":\"2.0\",\"extensions\":{\"durableTask\":{\"maxConcurrentActivityFunctions\":0}}}", "must be a whole number from 1 to 10000")]
    public void A_wrong_host_json_is_refused_with_a_sentence(string text, string sentence) =>
        Should.Throw<HostingException>(() => HostJson.Load(_folder.Write("host.json", text))).Message.ShouldContain(sentence);

    [Fact]
    public void Local_settings_give_way_to_the_environment_and_defaults_to_both()
    {
        var local = LocalSettings.Load(_folder.Write(
            "local.settings.json", """{ "IsEncrypted": false, "Values": { "A": "local", "B": "local", "X__Y": "nested", "N": 5 } }"""));
        var settings = new ApplicationSettings(
            new Dictionary<string, string> { ["A"] = "default", ["B"] = "default", ["C"] = "default" }, local,
            new Dictionary<string, string> { ["B"] = "environment" });
        settings.Resolve("%A% %B% %C% %N% %X__Y%", "It").ShouldBe("local environment default 5 nested");
        settings.Configuration["X:Y"].ShouldBe("nested");
    }

    [Theory]
    [InlineData("""{ "IsEncrypted": true, "Values": {} }""", "is encrypted")]
    [InlineData("""{ "Values": { "A": {} } }""", "Values may hold texts only, and 'A' is none")]
    [InlineData("""{ "Values": [] }""", "Values must be an object")]
    public void Wrong_local_settings_are_refused(string text, string sentence) =>
        Should.Throw<HostingException>(() => LocalSettings.Load(_folder.Write("local.settings.json", text))).Message.ShouldContain(sentence);

    [Fact]
    public void They_become_variables_of_the_process_unless_there_are_such()
    {
        Environment.SetEnvironmentVariable("FBACKUP_TEST_HAS", "mine");
        LocalSettings.AddToEnvironment(new Dictionary<string, string> { ["FBACKUP_TEST_HAS"] = "file", ["FBACKUP_TEST_NEW"] = "file" });
        Environment.GetEnvironmentVariable("FBACKUP_TEST_HAS").ShouldBe("mine");
        Environment.GetEnvironmentVariable("FBACKUP_TEST_NEW").ShouldBe("file");
    }

    [Theory]
    [InlineData("http://127.0.0.1:7071", "127.0.0.1:7071")]
    [InlineData("http://localhost:7071/", "127.0.0.1:7071")]
    [InlineData("http://[::1]:80", "::1:80")]
    public void This_machine_is_served_without_keys(string url, string endpoint) =>
        ListenAddress.Read([url], hasKeys: false).Select(e => $"{e.Address}:{e.Port}").ShouldBe([endpoint]);

    [Theory]
    [InlineData("http://0.0.0.0:7071")]
    [InlineData("http://*:7071")]
    [InlineData("http://+:7071")]
    [InlineData("http://192.168.1.5:7071")]
    [InlineData("http://[::]:7071")]
    public void Others_are_not_unless_there_are_keys(string url)
    {
        Should.Throw<HostingException>(() => ListenAddress.Read(["http://127.0.0.1:1", url], hasKeys: false)).Message.ShouldContain("There are no API keys");
        ListenAddress.Read([url], hasKeys: true).Count.ShouldBe(1);
    }

    [Theory]
    [InlineData("7071")]
    [InlineData("ftp://127.0.0.1")]
    [InlineData("http://127.0.0.1:7071/path")]
    [InlineData("http://user@127.0.0.1")]
    [InlineData("http://example.org")]
    [InlineData("https://127.0.0.1")]
    public void What_is_no_address_is_refused(string url) => Should.Throw<HostingException>(() => ListenAddress.Read([url], hasKeys: true));
}
