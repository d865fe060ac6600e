using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using FunctionsBackup.Components.Configuration.Diffs;
using FunctionsBackup.Components.Configuration.Sources;
using FunctionsBackup.Components.Files;
using FunctionsBackup.Repository.Snapshots;
using FunctionsBackup.Tests.Components.Files;
using FunctionsBackup.Tests.Servers;

namespace FunctionsBackup.Tests.Components.Configuration;

/// <summary>Sources beside files, their restores and their diffs, from servers that refuse what the real ones refuse.</summary>
public sealed class SourcesTests : FilesTestBase
{
    private static readonly Dictionary<string, string> Settings = new() { ["livekit.yaml"] = "port: 7880\nlog_level: info\n" };

    private static async Task<Dictionary<string, string>> ReadAsync(IConfigurationSource source)
    {
        var documents = new Dictionary<string, string>();
        await foreach (var document in source.ReadAsync(CancellationToken.None)) documents.Add(document.Path, Encoding.UTF8.GetString(document.Content.Span));
        return documents;
    }

    private static HttpClient Client(KubernetesServer server) => Trusting(server.Certificate);

    private static HttpClient Trusting(X509Certificate2 certificate)
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.Add(certificate);
        return new HttpClient(new SocketsHttpHandler { SslOptions = { CertificateChainPolicy = policy } });
    }

    private static KubernetesSource Kubernetes(KubernetesServer server, HttpClient client, Func<KubernetesOptions, KubernetesOptions>? change = null)
    {
        var options = new KubernetesOptions(new Uri(server.Url), () => "kubernetes-token-PLANTED", ["voice"]) { PageSize = 3 };
        return new KubernetesSource(client, change?.Invoke(options) ?? options, TimeProvider.System);
    }

    private async Task<Snapshot> BackUpSourcesAsync(params IConfigurationSource[] sources) =>
        await new FilesBackup(Repository, TimeProvider.System) { Sources = sources }.RunAsync(
            new FilesBackupOptions("configuration", [Tree["app"], Tree["kubernetes"], Tree["zeta"]]), null, CancellationToken.None);

    private async Task<ConfigurationChanges> CompareAsync(Snapshot old, Snapshot now) => await ConfigurationDiff.CompareAsync(
        DiffSides.OfSnapshot(Repository, old, CancellationToken.None), DiffSides.OfSnapshot(Repository, now, CancellationToken.None), old.Id, CancellationToken.None);

    [Fact]
    public async Task Only_variables_that_are_allowed_are_read()
    {
        var environment = new Dictionary<string, string> { ["LIVEKIT_URL"] = "wss://x", ["LIVEKIT_A/B"] = "odd", ["AWS_SECRET"] = "no", ["TZ"] = "" };
        (await ReadAsync(new EnvironmentSource(environment, ["LIVEKIT_*", "TZ"]))).ShouldBe(
            new Dictionary<string, string> { ["LIVEKIT_URL"] = "wss://x", ["LIVEKIT_A%2FB"] = "odd", ["TZ"] = "" }, ignoreOrder: true);
        (await ReadAsync(new EnvironmentSource(environment, []))).ShouldBeEmpty();
    }

    [Fact]
    public async Task Kubernetes_is_read_page_by_page_and_kept_clean_and_raw()
    {
        await using var server = await KubernetesServer.StartAsync();
        for (var i = 0; i < 8; i++) server.Put("voice", "configmaps", $"map-{i}", Settings);
        server.Put("voice", "secrets", "keys", new Dictionary<string, string> { ["api"] = "hidden" });
        server.Put("voice", "configmaps", "other", Settings, "app=else");
        server.BeInTrouble(1);
        using var client = Client(server);
        var documents = await ReadAsync(Kubernetes(server, client, o => o with { LabelSelector = "app=livekit" }));
        documents.Count.ShouldBe(18);
        var clean = JsonNode.Parse(documents["voice/configmaps/map-7.json"])!;
        ((string?)clean["kind"]).ShouldBe("ConfigMap");
        ((string?)clean["data"]!["livekit.yaml"]).ShouldBe(Settings["livekit.yaml"]);
        clean["metadata"]!.AsObject().Select(p => p.Key).ShouldBe(["labels", "name", "namespace"]);
        JsonNode.Parse(documents["voice/configmaps/map-7.raw.json"])!["metadata"]!["managedFields"].ShouldNotBeNull();
        server.Requests.Count(r => r.Contains("/configmaps", StringComparison.Ordinal)).ShouldBe(4); // three pages, one of them twice

        (await ReadAsync(Kubernetes(server, client, o => o with { Secrets = false }))).Keys.ShouldNotContain(p => p.Contains("secrets", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_list_that_expires_begins_anew_and_not_for_ever()
    {
        await using var server = await KubernetesServer.StartAsync();
        for (var i = 0; i < 5; i++) server.Put("voice", "configmaps", $"map-{i}", Settings);
        using var client = Client(server);
        server.Expire(2);
        (await ReadAsync(Kubernetes(server, client))).Count.ShouldBe(10);
        server.Expire(100);
        (await Should.ThrowAsync<ConfigurationSourceException>(() => ReadAsync(Kubernetes(server, client)))).Message.ShouldContain("expired");
    }

    [Fact]
    public async Task What_the_cluster_refuses_is_said_with_the_mend_and_without_the_token()
    {
        await using var server = await KubernetesServer.StartAsync();
        using var client = Client(server);
        (await Should.ThrowAsync<ConfigurationSourceException>(() => ReadAsync(Kubernetes(server, client, o => o with { Namespaces = ["kube-system"] }))))
            .Message.ShouldContain("role with list");
        server.Token = "another";
        var refused = await Should.ThrowAsync<ConfigurationSourceException>(() => ReadAsync(Kubernetes(server, client)));
        refused.Message.ShouldContain("does not accept the token");
        refused.ToString().ShouldNotContain("PLANTED");
        using var strict = new HttpClient();
        (await Should.ThrowAsync<ConfigurationSourceException>(() => ReadAsync(Kubernetes(server, strict)))).Message.ShouldContain("cannot be reached");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task App_configuration_is_read_page_by_page(bool inBody)
    {
        await using var server = await AppConfigurationServer.StartAsync();
        server.LinkInBody = inBody;
        foreach (var key in (string[])["a", "b/c", "ü:x", ".appconfig.featureflag/new", "long"]) server.Put(key, null, "value of " + key);
        server.Put("a", "prod", "other");
        using var client = new HttpClient();
        var documents = await ReadAsync(new AppConfigurationSource(client, AppConfigurationAddress.Parse(server.Connection), TimeProvider.System));
        documents.Keys.ShouldBe(["a/%.json", "a/prod.json", "b%2Fc/%.json", "ü:x/%.json", "%2Eappconfig.featureflag%2Fnew/%.json", "long/%.json"], ignoreOrder: true);
        ((string?)JsonNode.Parse(documents["b%2Fc/%.json"])!["value"]).ShouldBe("value of b/c");
        documents["a/prod.json"].ShouldNotContain("etag");
        server.Requests.Count.ShouldBe(3);
    }

    [Fact]
    public async Task A_wrong_key_of_app_configuration_is_said_so()
    {
        await using var server = await AppConfigurationServer.StartAsync();
        using var client = new HttpClient();
        var wrong = server.Connection.Split("Secret=")[0] + "Secret=" + Convert.ToBase64String("wrong-PLANTED"u8);
        var refused = await Should.ThrowAsync<ConfigurationSourceException>(
            () => ReadAsync(new AppConfigurationSource(client, AppConfigurationAddress.Parse(wrong), TimeProvider.System)));
        refused.Message.ShouldContain("does not accept the signature");
        Should.Throw<ConfigurationSourceException>(() => AppConfigurationAddress.Parse("Endpoint=https://x;Secret=PLANTED")).ToString().ShouldNotContain("PLANTED");
    }

    [Fact]
    public async Task Key_vault_gives_names_and_values_only_when_asked()
    {
        await using var server = await KeyVaultServer.StartAsync();
        for (var i = 0; i < 60; i++) server.Secrets[$"secret-{i}"] = $"value-{i}-PLANTED";
        server.Permissions.Add("list");
        using var client = Trusting(server.Certificate);
        (string Scope, string? Tenant) asked = default;
        var documents = await ReadAsync(Vault(values: false));
        documents.Count.ShouldBe(60);
        asked.ShouldBe((server.Vault + "/.default", "72f988bf-0000-0000-0000-2d7cd011db47"));
        documents["secret-7.json"].ShouldContain("\"team\": \"voice\"");
        documents.Values.ShouldNotContain(d => d.Contains("PLANTED", StringComparison.Ordinal));
        server.Requests.Count.ShouldBe(3);

        (await Should.ThrowAsync<ConfigurationSourceException>(() => ReadAsync(Vault(values: true)))).Message.ShouldContain("Key Vault Secrets User");
        server.Permissions.Add("getSecret");
        var values = await ReadAsync(Vault(values: true));
        values.Count.ShouldBe(120);
        values["secret-7.value"].ShouldBe("value-7-PLANTED");

        server.Resource = "https://graph.microsoft.com";
        (await Should.ThrowAsync<ConfigurationSourceException>(() => ReadAsync(Vault(values: false)))).Message.ShouldContain("not for its own domain");

        KeyVaultSource Vault(bool values) => new(client, new Uri(server.Vault), values, (scope, tenant, _) =>
        {
            asked = (scope, tenant);
            return new(server.Token);
        }, TimeProvider.System);
    }

    [Theory]
    [InlineData("app/x.yaml", "apiVersion: v1\nkind: Secret\nmetadata:\n  name: shown\ndata:\n  user: aGlkZGVu\n  key: |\n    aGlkZGVuaGlkZGVu\ntype: Opaque\n", "name: shown")]
    [InlineData("app/x.ini", "url = postgres://app:aGlkZGVu@db.shown/x\n", "db.shown")]
    [InlineData("app/.env", "export API_KEY=aGlkZGVu\nMODE=shown\n", "shown")]
    [InlineData("app/x.json", "{\"mode\": \"shown\",\n\"clientSecret\": \"aGlkZGVu\"}", "shown")]
    [InlineData("app/key.pem", "shown\n-----BEGIN EC PRIVATE KEY-----\naGlkZGVu\n-----END EC PRIVATE KEY-----\n", "shown")]
    [InlineData("environment/SERVICE_PASSWORD", "aGlkZGVu", "not shown")]
    [InlineData("kubernetes/x/secrets/y.json", "{\"data\":{\"a\":\"aGlkZGVu\"},\"shown\":1}", "shown")]
    [InlineData("kubernetes/x/secrets/y.json", "no object: aGlkZGVu", "not shown")]
    [InlineData("key_vault/y.value", "aGlkZGVu", "not shown")]
    [InlineData("app_configuration/db:password/%.json", "{\"value\":\"aGlkZGVu\",\"key\":\"shown\"}", "shown")]
    public void Secrets_are_not_shown(string path, string text, string stays)
    {
        var lines = string.Join('\n', new SecretMask().Lines(path, text));
        lines.ShouldNotContain("aGlkZGVu");
        lines.ShouldContain(stays);
    }

    [Fact]
    public async Task Files_and_sources_are_one_snapshot_that_restores_and_shows_its_changes_without_secrets()
    {
        await using var server = await KubernetesServer.StartAsync();
        using var client = Client(server);
        server.Put("voice", "configmaps", "livekit", Settings);
        server.Put("voice", "configmaps", "old", Settings);
        server.Put("voice", "secrets", "keys", new Dictionary<string, string> { ["api"] = "hidden-one", ["same"] = "hidden-too" });
        Tree.Write("app/a.conf", "workers = 2\npassword = hidden-four\n");
        Tree.Write("kubernetes/mine.yaml", "a folder of that name");
        Tree.Write("zeta/z", "last");
        Tree.Write("app/binary", new byte[100]);
        var environment = new Dictionary<string, string> { ["APP_TOKEN"] = "hidden-six", ["APP_MODE"] = "blue" };
        var sources = new IConfigurationSource[] { Kubernetes(server, client), new EnvironmentSource(environment, ["APP_*"]) };
        var first = await BackUpSourcesAsync(sources);
        first.Warnings.ShouldBeEmpty();

        // What the server changes by itself is no change.
        server.Put("voice", "configmaps", "livekit", Settings);
        (await CompareAsync(first, await BackUpSourcesAsync(sources))).Summary().ShouldBe("nothing changed");

        server.Put("voice", "configmaps", "livekit", new Dictionary<string, string> { ["livekit.yaml"] = "port: 7881\nlog_level: info\n" });
        server.Delete("voice", "configmaps", "old");
        server.Put("voice", "secrets", "keys", new Dictionary<string, string> { ["api"] = "hidden-three", ["same"] = "hidden-too" });
        Tree.Write("app/a.conf", "workers = 4\npassword = hidden-five\n");
        Tree.Write("app/binary", new byte[101]);
        Tree.Write("app/new.conf", "on\n");
        environment["APP_TOKEN"] = "hidden-seven";
        var third = await BackUpSourcesAsync(sources);
        var changes = await CompareAsync(first, third);
        changes.Summary().ShouldBe("5 changed, 1 new, 1 removed");
        changes.Text.ShouldContain("-workers = 2\n");
        changes.Text.ShouldContain("+workers = 4\n");
        changes.Text.ShouldContain("b/kubernetes/voice/secrets/keys.json");
        changes.Text.ShouldContain("port: 7881");
        changes.Text.ShouldContain("100 bytes, SHA-256 ");
        changes.Text.ShouldContain("+++ /dev/null");
        changes.Text.ShouldNotContain("hidden");
        foreach (var secret in (string[])["hidden-one", "hidden-too", "hidden-three"])
            changes.Text.ShouldNotContain(Convert.ToBase64String(Encoding.UTF8.GetBytes(secret)));

        await RestoreAsync(third, target: "target/kubernetes", prefix: "kubernetes");
        await RestoreAsync(third, target: "target/environment", prefix: "environment");
        await RestoreAsync(third, target: "target/kubernetes-2", prefix: "kubernetes-2");
        File.ReadAllText(Tree["target/environment/APP_TOKEN"]).ShouldBe("hidden-seven");
        File.ReadAllText(Tree["target/kubernetes-2/mine.yaml"]).ShouldBe("a folder of that name");
        var secrets = JsonNode.Parse(File.ReadAllText(Tree["target/kubernetes/voice/secrets/keys.json"]))!;
        ((string?)secrets["data"]!["api"]).ShouldBe(Convert.ToBase64String("hidden-three"u8));

        // Against the folder: nothing would change now; afterwards what was changed there.
        (await AgainstAsync(third)).Summary().ShouldBe("4 new"); // the files of app and zeta are not there
        File.WriteAllText(Tree["target/environment/APP_MODE"], "green");
        (await AgainstAsync(third)).Summary().ShouldBe("1 changed, 4 new");

        async Task<ConfigurationChanges> AgainstAsync(Snapshot snapshot) => await ConfigurationDiff.CompareAsync(
            DiffSides.OfFolder(Repository, snapshot, Tree["target"], CancellationToken.None),
            DiffSides.OfSnapshot(Repository, snapshot, CancellationToken.None), null, CancellationToken.None);
    }
}
