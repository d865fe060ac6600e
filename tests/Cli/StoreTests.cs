using FunctionsBackup.Tests.Servers;

namespace FunctionsBackup.Tests.Cli;

/// <summary>Repositories elsewhere than in a folder, by the command line.</summary>
public sealed class StoreTests : IDisposable
{
    private readonly Fbackup _fbackup = new();

    public void Dispose() => _fbackup.Dispose();

    [Fact]
    public async Task A_repository_in_a_container_is_validated_made_filled_and_restored()
    {
        await using var server = await AzuriteServer.StartAsync();
        _fbackup.Environment["CONNECTION"] = server.ConnectionString;
        _fbackup.Write("recordings/one.opus", "a recording");
        _fbackup.Write("backup_config.yaml", """
            backup_config:
              global: { storage_backend: azure_blob, parallel_jobs: 4 }
              storage: { container: backups, prefix: site/one, connection_string: env:CONNECTION, attempts: 3 }
              keys: { passphrase: env:FBACKUP_PASSPHRASE }
              components:
                voice_data: { paths: [./recordings] }

            """);
        var absent = _fbackup.Run("repository", "validate").Expect(1);
        absent.Output.ShouldContain("there is no such container");
        await CreateContainerAsync(server, "backups");

        // No retention policy: the permission to delete is more than is needed.
        var validated = _fbackup.Run("--json", "repository", "validate", "--size", "1").Expect(3).Json;
        validated["outcome"]!.GetValue<string>().ShouldBe("warning");
        validated["checks"]!.AsArray().Where(c => c!["outcome"]!.GetValue<string>() != "passed").Select(c => c!["check"]!.GetValue<string>())
            .ShouldBe(["retention locks", "delete"]);
        validated["left_behind"]!.AsArray().ShouldBeEmpty();
        _fbackup.Run("backup", "list").Expect(4);

        _fbackup.Run("init", "--yes").Expect(0).Output.ShouldContain("/backups/site/one");
        _fbackup.Run("init", "--yes").Expect(0).Output.ShouldContain("nothing was changed");
        _fbackup.Run("backup", "run").Expect(0);
        _fbackup.Run("backup", "verify", "--level", "full").Expect(0);
        _fbackup.Run("restore", "voice_data", "latest", "--target", _fbackup.PathOf("back")).Expect(0);
        File.ReadAllText(Directory.EnumerateFiles(_fbackup.PathOf("back"), "one.opus", SearchOption.AllDirectories).Single())
            .ShouldBe("a recording");
        var stats = _fbackup.Run("repository", "stats").Expect(0);
        (stats.Output + stats.Error).ShouldNotContain(AzuriteServer.AccountKey);
    }

    [Fact]
    public void A_folder_is_validated_too()
    {
        _fbackup.WriteConfiguration("  policies: { voice_data: { retention: { recordings: 3 } } }");
        _fbackup.Run("init", "--yes").Expect(0);
        _fbackup.Run("repository", "validate", "--size", "1").Expect(0).Output.ShouldContain("permitted, and nothing is left behind");
    }

    [Fact]
    public void A_repository_in_a_folder_loads_no_service_s_SDK()
    {
        _fbackup.WriteConfiguration();
        _fbackup.Write("recordings/one.opus", "a recording");
        _fbackup.Run("init", "--yes").Expect(0);
        var file = _fbackup.PathOf("assemblies");
        _fbackup.Environment["DOTNET_STARTUP_HOOKS"] = typeof(StoreTests).Assembly.Location;
        _fbackup.Environment[StartupHook.OutputVariable] = file;
        _fbackup.Run("backup", "run").Expect(0);
        var loaded = File.ReadAllLines(file);
        loaded.ShouldContain("FunctionsBackup.Storage");
        loaded.Where(n => n.StartsWith("AWSSDK", StringComparison.Ordinal) || n.StartsWith("Azure", StringComparison.Ordinal)
            || n.StartsWith("Polly", StringComparison.Ordinal) || n is "FunctionsBackup.Storage.S3" or "FunctionsBackup.Storage.AzureBlob")
            .ShouldBeEmpty();
    }

    private static async Task CreateContainerAsync(AzuriteServer server, string container) =>
        await new Azure.Storage.Blobs.BlobContainerClient(server.ConnectionString, container).CreateAsync();
}
