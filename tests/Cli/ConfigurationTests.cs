using FunctionsBackup.Tests.Servers;

namespace FunctionsBackup.Tests.Cli;

/// <summary>Configuration with its diffs, and logs that are rotated.</summary>
public sealed class ConfigurationTests : IDisposable
{
    private readonly Fbackup _fbackup = new();

    public void Dispose() => _fbackup.Dispose();

    [Fact]
    public void Each_backup_of_configuration_shows_what_changed_and_a_restore_shows_it_first()
    {
        _fbackup.WriteConfiguration("    configuration: { paths: [./conf], environment: [\"DEMO_*\"] }");
        _fbackup.Environment["DEMO_MODE"] = "blue";
        _fbackup.Environment["DEMO_TOKEN"] = "hidden-one";
        _fbackup.Write("conf/app.yaml", "workers: 2\npassword: hidden-two\n");
        _fbackup.Run("init", "--yes").Expect(0);
        var first = Take();
        _fbackup.Run("backup", "show", first, "--diff").Expect(2).Error.ShouldContain("from the second on");

        _fbackup.Write("conf/app.yaml", "workers: 4\npassword: hidden-three\n");
        _fbackup.Write("conf/new.yaml", "x: 1\n");
        _fbackup.Environment["DEMO_TOKEN"] = "hidden-four";
        _fbackup.Run("backup", "run", "--type", "configuration").Expect(0).Output.ShouldContain("configuration: 2 changed, 1 new");
        var shown = _fbackup.Run("backup", "show", "latest", "--type", "configuration", "--diff").Expect(0).Output;
        shown.ShouldContain("-workers: 2");
        shown.ShouldContain("+workers: 4");
        shown.ShouldNotContain("hidden");
        _fbackup.Run("backup", "show", "latest", "--type", "configuration").Expect(0).Output.ShouldMatch("(?m)^changes +2 changed, 1 new");
        var compared = _fbackup.Run("backup", "diff", first, "latest", "--json").Expect(0).Json;
        compared["changed"]!.GetValue<int>().ShouldBe(2);
        compared["added"]!.GetValue<int>().ShouldBe(1);
        compared["against"]!.GetValue<string>().ShouldBe(first);

        _fbackup.Run("restore", "configuration", first, "--target", _fbackup.PathOf("out")).Expect(0).Error.ShouldContain("configuration: 3 new");
        File.ReadAllText(_fbackup.PathOf("out/environment/DEMO_TOKEN")).ShouldBe("hidden-one");
        File.ReadAllText(_fbackup.PathOf("out/conf/app.yaml")).ShouldBe("workers: 2\npassword: hidden-two\n");
        var plan = _fbackup.Run("restore", "configuration", "latest", "--target", _fbackup.PathOf("out"), "--plan").Expect(0).Output;
        plan.ShouldContain("+workers: 4");
        plan.ShouldContain("configuration: 2 changed, 1 new");
        plan.ShouldNotContain("hidden");
        File.ReadAllText(_fbackup.PathOf("out/conf/app.yaml")).ShouldContain("workers: 2");
    }

    [Fact]
    public async Task Objects_of_a_cluster_go_back_by_server_side_apply()
    {
        await using var server = await KubernetesServer.StartAsync();
        server.Put("voice", "configmaps", "livekit", new Dictionary<string, string> { ["a"] = "one" });
        server.Put("voice", "secrets", "keys", new Dictionary<string, string> { ["api"] = "hidden-one" });
        server.Put("voice", "configmaps", "kube-root-ca.crt", new Dictionary<string, string> { ["ca.crt"] = "x" });
        server.WriteCertificate(_fbackup.PathOf("ca.pem"));
        _fbackup.Environment["K_TOKEN"] = server.Token;
        _fbackup.WriteConfiguration(
            $"    configuration: {{ kubernetes: {{ namespaces: [voice], url: \"{server.Url}\", token: env:K_TOKEN, ca_file: ./ca.pem }} }}");
        _fbackup.Run("init", "--yes").Expect(0);
        Take();
        server.Put("voice", "configmaps", "livekit", new Dictionary<string, string> { ["a"] = "two", ["b"] = "stays" });
        server.Delete("voice", "secrets", "keys");

        var plan = _fbackup.Run("restore", "configuration", "latest", "--target", "kubernetes", "--plan", "--overwrite").Expect(3);
        plan.Output.ShouldContain("configuration: 1 changed, 1 new");
        plan.Output.ShouldContain("would take 2 objects");
        plan.Error.ShouldContain("the cluster makes it by itself");
        var refused = _fbackup.Run("restore", "configuration", "latest", "--target", "kubernetes").Expect(1);
        refused.Error.ShouldContain("nothing was changed; restore with --overwrite");
        server.Requests.ShouldNotContain(r => r.Contains("force", StringComparison.Ordinal) && !r.Contains("dryRun=All", StringComparison.Ordinal));
        _fbackup.Run("restore", "configuration", "latest", "--target", "kubernetes", "--overwrite").Expect(3).Error.ShouldContain("configuration: 1 changed, 1 new");

        server.Data("voice", "configmaps", "livekit").ShouldBe(new Dictionary<string, string> { ["a"] = "one", ["b"] = "stays" });
        server.Data("voice", "secrets", "keys").ShouldBe(new Dictionary<string, string> { ["api"] = "hidden-one" });
        _fbackup.Run("restore", "logs", "latest", "--target", "kubernetes").ExitCode.ShouldNotBe(0);
    }

    [Fact]
    public void A_log_that_was_rotated_is_continued()
    {
        _fbackup.WriteConfiguration("    logs: { paths: [./log] }");
        _fbackup.Write("log/app.log", "one\n");
        File.SetLastWriteTimeUtc(_fbackup.PathOf("log/app.log"), new DateTime(2020, 11, 1, 0, 0, 0, DateTimeKind.Utc));
        _fbackup.Run("init", "--yes").Expect(0);
        _fbackup.Run("backup", "run", "--type", "logs").Expect(0);
        File.Move(_fbackup.PathOf("log/app.log"), _fbackup.PathOf("log/app.log.1"));
        _fbackup.Write("log/app.log", "two\n");
        var second = _fbackup.Run("backup", "run", "--type", "logs", "--json").Expect(0).Events[^1]["recovery_points"]![0]!;
        second["details"]!["continued"]!.GetValue<int>().ShouldBe(1);
        _fbackup.Run("restore", "logs", "latest", "--target", _fbackup.PathOf("out")).Expect(0);
        File.ReadAllText(_fbackup.PathOf("out/log/app.log.1")).ShouldBe("one\n");
        File.ReadAllText(_fbackup.PathOf("out/log/app.log")).ShouldBe("two\n");
    }

    private string Take() =>
        _fbackup.Run("backup", "run", "--type", "configuration", "--json").Expect(0).Events[^1]["recovery_points"]![0]!["id"]!.GetValue<string>();
}
