using System.Diagnostics;
using System.Text;
using FunctionsBackup.Tests.Servers;

namespace FunctionsBackup.Tests.Cli;

/// <summary>Secrets of every kind are planted, and must be nowhere afterwards: outputs, state, repository, arguments, metrics.</summary>
public sealed class PlantedSecretsTests : IDisposable
{
    private readonly Fbackup _fbackup = new();
    private readonly List<string> _seen = [];
    private readonly HashSet<string> _programs = [];
    private readonly List<string> _secrets =
    [
        Fbackup.Passphrase, "wrong-passphrase-PLANTED", "postgres-password-PLANTED", "redis-password-PLANTED", "livekit-key-PLANTED",
        "livekit-secret-PLANTED", "AKIAPLANTED", "s3-secret-PLANTED", "session-token-PLANTED", "account-key-PLANTED", "sas-signature-PLANTED",
        Convert.ToBase64String(Encoding.ASCII.GetBytes("account-key-PLANTED")), KmsServer.SecretKey, KeyVaultServer.IdentityHeader, "token-PLANTED",
    ];

    public void Dispose() => _fbackup.Dispose();

    [Fact]
    public async Task Nothing_secret_is_written_said_or_passed_as_an_argument()
    {
        await using var vault = await KeyVaultServer.StartAsync();
        vault.AddVersion("backup");
        await using var kms = await KmsServer.StartAsync();
        foreach (var (name, value) in vault.Environment) _fbackup.Environment[name] = value;
        Plant(new()
        {
            ["FBACKUP_DEBUG"] = "1",
            ["PGCONNECTION"] = "Host=127.0.0.1;Port=1;Username=nobody;Password=postgres-password-PLANTED;Timeout=5",
            ["REDIS_URL"] = "redis://user:redis-password-PLANTED@127.0.0.1:1/0",
            ["LK_KEY"] = "livekit-key-PLANTED",
            ["LK_SECRET"] = "livekit-secret-PLANTED",
            ["SSL_CERT_FILE"] = vault.WriteCertificate(_fbackup.PathOf("ca.pem")),
            ["AWS_ACCESS_KEY_ID"] = KmsServer.AccessKey,
            ["AWS_SECRET_ACCESS_KEY"] = KmsServer.SecretKey,
            ["AWS_EC2_METADATA_DISABLED"] = "true",
            ["OTHER"] = "wrong-passphrase-PLANTED",
        });
        _fbackup.Write("recordings/call.txt", "hello");
        var keys = $"passphrase: env:FBACKUP_PASSPHRASE, keyvault: \"{vault.Vault}/keys/backup\", kms: \"{kms.AddKey()}\", kms_endpoint: \"{kms.Endpoint}\"";
        Configure("storage: { path: ./repository }", keys);

        Run(0, "init", "--recovery-key-file", "recovery.txt");
        var recovery = (await File.ReadAllTextAsync(_fbackup.PathOf("recovery.txt"))).Trim();
        _secrets.AddRange([recovery, recovery[5..], recovery.Replace("-", "")]);
        File.Delete(_fbackup.PathOf("recovery.txt"));
        _fbackup.Write("recordings/key.txt", "not a key");
        Run(null, "config", "show", "--all");
        Run(null, "config", "check");
        Run(0, "backup", "run", "--type", "voice_data");
        Run(null, "backup", "run"); // databases that are not there fail
        Run(null, "backup", "list", "--json");
        Run(null, "status", "--json");
        Run(0, "backup", "verify", "all", "--level", "full");
        Run(0, "repository", "stats");
        Run(0, "repository", "keys", "add", "--passphrase", "env:OTHER");
        Run(0, "repository", "keys", "list", "--json");
        Run(0, "repository", "rotate-key");
        Run(0, "restore", "voice_data", "latest", "--target", "restored");
        Run(null, "wal", "push", "/nowhere/000000010000000000000001");
        Run(null, "restore", "postgres", "latest", "--target", "pg");
        var api = _fbackup.Run("serve", "keys", "add", "oncall", "--role", "operator", "--json").Expect(0).Json["key"]!.GetValue<string>();
        _secrets.Add(api);
        Run(0, "serve", "keys", "list", "--json");
        await ServeAsync(api);

        vault.Permissions.Clear();
        kms.Permissions.Clear();
        Plant(new() { ["FBACKUP_PASSPHRASE"] = "wrong-passphrase-PLANTED-too" });
        Run(1, "backup", "list");
        vault.Token = "another";
        Run(1, "backup", "list");
        Plant(new() { ["AWS_SECRET_ACCESS_KEY"] = "s3-secret-PLANTED" });
        Run(1, "backup", "list");

        // Stores that are not there, or refuse.
        Plant(new()
        {
            ["S3_KEY"] = "AKIAPLANTED", ["S3_SECRET"] = "s3-secret-PLANTED", ["S3_TOKEN"] = "session-token-PLANTED",
            ["AZ_KEY"] = Convert.ToBase64String(Encoding.ASCII.GetBytes("account-key-PLANTED")),
            ["AZ_SAS"] = "sv=2024-01-01&sig=sas-signature-PLANTED",
            ["AZ_CONNECTION"] = "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=account-key-PLANTED;BlobEndpoint=http://127.0.0.1:1/a;",
            ["AZ_GOOD"] = "DefaultEndpointsProtocol=http;AccountName=a;BlobEndpoint=http://127.0.0.1:1/a;AccountKey="
                + Convert.ToBase64String(Encoding.ASCII.GetBytes("account-key-PLANTED")),
        });
        foreach (var (backend, storage) in new[]
        {
            ("s3", "endpoint: \"http://127.0.0.1:1\", bucket: b, access_key: env:S3_KEY, secret_key: env:S3_SECRET, session_token: env:S3_TOKEN"),
            ("azure_blob", "endpoint: \"http://127.0.0.1:1/a\", account: a, container: c, account_key: env:AZ_KEY"),
            ("azure_blob", "endpoint: \"http://127.0.0.1:1/a\", account: a, container: c, sas: env:AZ_SAS"),
            ("azure_blob", "container: c, connection_string: env:AZ_CONNECTION"),
            ("azure_blob", "container: c, connection_string: env:AZ_GOOD"),
        })
        {
            Configure($"global: {{ storage_backend: {backend} }}\n  storage: {{ {storage}, attempts: 1 }}", "passphrase: env:FBACKUP_PASSPHRASE");
            Run(null, "config", "show", "--all");
            Run(null, "init", "--yes").ExitCode.ShouldNotBe(0);
            Run(null, "repository", "validate");
        }

        // Literal secrets are errors that do not repeat them.
        Configure("storage: { path: ./repository }", "passphrase: wrong-passphrase-PLANTED");
        Run(2, "backup", "list");
        File.Delete(_fbackup.PathOf("backup_config.yaml"));
        File.Delete(_fbackup.PathOf("ca.pem"));

        foreach (var text in _seen) ShouldHoldNothing(Encoding.UTF8.GetBytes(text), "what was said");
        var files = Directory.GetFiles(_fbackup.Folder, "*", SearchOption.AllDirectories);
        files.ShouldContain(f => f.Contains("/repository/keys/", StringComparison.Ordinal));
        files.ShouldContain(f => f.Contains("/state/", StringComparison.Ordinal));
        foreach (var file in files)
        {
            ShouldHoldNothing(await File.ReadAllBytesAsync(file), file);
            ShouldHoldNothing(Encoding.UTF8.GetBytes(file), "the name " + file);
        }

        _programs.ShouldContain(p => p.Contains("serve", StringComparison.Ordinal), "processes are looked at");
        foreach (var program in _programs) ShouldHoldNothing(Encoding.UTF8.GetBytes(program), "arguments of " + program.Split('\0')[0]);
    }

    private void Configure(string storage, string keys) => _fbackup.Write("backup_config.yaml", $$"""
        backup_config:
          {{storage}}
          keys: { {{keys}} }
          components:
            voice_data: { paths: [./recordings] }
            postgres: { connection: env:PGCONNECTION }
            redis: { connection: env:REDIS_URL }
            livekit: { url: "http://127.0.0.1:1", api_key: env:LK_KEY, api_secret: env:LK_SECRET }

        """);

    private void Plant(Dictionary<string, string> variables)
    {
        foreach (var (name, value) in variables) _fbackup.Environment[name] = value;
    }

    private Ran Run(int? exitCode, params string[] arguments)
    {
        using var process = _fbackup.Start(arguments);
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        while (!process.WaitForExit(50)) Look();
        process.WaitForExit();
        var ran = new Ran(process.ExitCode, output.Result, error.Result);
        _seen.AddRange([ran.Output, ran.Error]);
        return exitCode is { } code ? ran.Expect(code) : ran;
    }

    /// <summary>The host, with its metrics and the answers to wrong keys.</summary>
    private async Task ServeAsync(string key)
    {
        using var process = _fbackup.Start("serve", "--urls", "http://127.0.0.1:0");
        var said = new StringBuilder();
        string? address = null;
        while (address is null && await process.StandardError.ReadLineAsync() is { } line)
        {
            said.AppendLine(line);
            var at = line.IndexOf("Serving at ", StringComparison.Ordinal);
            if (at >= 0) address = line[(at + 11)..].Split([' ', ','])[0];
        }

        address.ShouldNotBeNull(said.ToString());
        Look();
        var rest = process.StandardError.ReadToEndAsync();
        using (var client = new HttpClient { BaseAddress = new Uri(address) })
        {
            foreach (var (path, authorization) in new[] { ("/api/metrics", key), ("/api/status", key), ("/api/metrics", "wrong-" + key), ("/api/nowhere", key) })
            {
                using var request = new HttpRequestMessage(HttpMethod.Get, path);
                request.Headers.TryAddWithoutValidation("x-functions-key", authorization);
                using var answer = await client.SendAsync(request);
                _seen.Add($"{answer.Headers}{await answer.Content.ReadAsStringAsync()}");
            }
        }

        using (var kill = Process.Start("kill", ["-TERM", process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)])) await kill.WaitForExitAsync();
        _seen.Add(said + await rest);
        await process.WaitForExitAsync();
    }

    /// <summary>Command lines of every process that works for this test: they all have its state folder in their environment.</summary>
    private void Look()
    {
        var mark = Encoding.UTF8.GetBytes(_fbackup.PathOf("state"));
        foreach (var folder in Directory.GetDirectories("/proc").Where(f => char.IsAsciiDigit(f[6])))
        {
            try
            {
                if (File.ReadAllBytes(folder + "/environ").AsSpan().IndexOf(mark) >= 0) _programs.Add(File.ReadAllText(folder + "/cmdline"));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // gone meanwhile, or somebody else's
            }
        }
    }

    private void ShouldHoldNothing(ReadOnlySpan<byte> bytes, string where)
    {
        foreach (var secret in _secrets)
        {
            if (bytes.IndexOf(Encoding.UTF8.GetBytes(secret)) >= 0 || bytes.IndexOf(Encoding.Unicode.GetBytes(secret)) >= 0
                || bytes.IndexOf(Encoding.ASCII.GetBytes(Convert.ToBase64String(Encoding.UTF8.GetBytes(secret)))) >= 0)
                throw new ShouldAssertException($"A secret ({secret[..4]}…, {secret.Length} characters) stands in {where}.");
        }
    }
}
