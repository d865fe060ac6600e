using System.Text.Json.Nodes;
using FunctionsBackup.Tests.Servers;

namespace FunctionsBackup.Tests.Cli;

/// <summary>Several kinds of keys at once, by the command line alone, with Azure.Identity and the AWS SDK finding their credentials.</summary>
public sealed class KeysTests : IAsyncLifetime
{
    private readonly Fbackup _fbackup = new();
    private KeyVaultServer _vault = null!;
    private KmsServer _kms = null!;
    private string _arn = "";

    public async Task InitializeAsync()
    {
        _vault = await KeyVaultServer.StartAsync();
        _vault.AddVersion("backup");
        _kms = await KmsServer.StartAsync();
        _arn = _kms.AddKey();
        foreach (var (name, value) in _vault.Environment) _fbackup.Environment[name] = value;
        _fbackup.Environment["SSL_CERT_FILE"] = _vault.WriteCertificate(_fbackup.PathOf("ca.pem"));
        _fbackup.Environment["AWS_ACCESS_KEY_ID"] = KmsServer.AccessKey;
        _fbackup.Environment["AWS_SECRET_ACCESS_KEY"] = KmsServer.SecretKey;
        _fbackup.Environment["AWS_EC2_METADATA_DISABLED"] = "true";
        _fbackup.Write("recordings/call.txt", "hello");
    }

    public async Task DisposeAsync()
    {
        await _vault.DisposeAsync();
        await _kms.DisposeAsync();
        _fbackup.Dispose();
    }

    [Fact]
    public void Each_kind_of_key_restores_alone_and_rotation_replaces_what_it_can()
    {
        Configure("passphrase: env:FBACKUP_PASSPHRASE", Vault, Kms);
        _fbackup.Run("init", "--recovery-key-file", "recovery.txt").Expect(0);
        _fbackup.Run("backup", "run").Expect(0);
        Slots().Select(s => s["kind"]!.GetValue<string>()).Order().ShouldBe(["keyvault", "kms", "passphrase", "recovery"]);

        Configure(Vault);
        Restores("vault");
        Configure(Kms);
        Restores("kms");
        _fbackup.Run("backup", "run").Expect(0);
        Configure("recovery_key: file:recovery.txt");
        Restores("recovery");

        Configure("passphrase: env:FBACKUP_PASSPHRASE", Vault, Kms);
        var version = _vault.AddVersion("backup");
        var rotated = _fbackup.Run("repository", "rotate-key", "--json").Expect(0).Json;
        rotated["epoch"]!.GetValue<int>().ShouldBe(2);
        rotated["rewrapped"]!.AsArray().Count.ShouldBe(3);
        rotated["kept"]!.AsArray().Single()!["kind"]!.GetValue<string>().ShouldBe("recovery");
        Slots().Single(s => s["kind"]!.GetValue<string>() == "keyvault")["key"]!.GetValue<string>().ShouldBe($"{_vault.Vault}/keys/backup/{version}");
        _fbackup.Run("backup", "run").Expect(0);
        foreach (var key in new[] { Vault, Kms, "passphrase: env:FBACKUP_PASSPHRASE", "recovery_key: file:recovery.txt" })
        {
            Configure(key);
            Restores(key[..3] + "-after");
        }
    }

    [Fact]
    public void Which_keys_failed_and_why_is_said()
    {
        Configure("passphrase: env:FBACKUP_PASSPHRASE", Vault, Kms);
        _fbackup.Run("init", "--recovery-key-file", "recovery.txt").Expect(0);

        _fbackup.Environment["FBACKUP_PASSPHRASE"] = "wrong-PLANTED";
        var fallen = _fbackup.Run("backup", "list").Expect(0);
        fallen.Error.ShouldContain("keys.passphrase did not open the repository, keys.keyvault did: The passphrase is wrong.");
        _vault.Permissions.Clear();
        _fbackup.Environment["FBACKUP_PASSPHRASE"] = null;
        fallen = _fbackup.Run("backup", "list").Expect(0);
        fallen.Error.ShouldContain("keys.passphrase did not open the repository, keys.kms did: The environment variable FBACKUP_PASSPHRASE");
        fallen.Error.ShouldContain("keys.keyvault did not open the repository, keys.kms did: Cannot unwrap with the key");
        _kms.Permissions.Clear();
        var none = _fbackup.Run("backup", "list").Expect(1);
        none.Error.ShouldContain("None of the 3 keys that are configured opens the repository. keys.passphrase: ");
        none.Error.ShouldContain(" keys.keyvault: Cannot unwrap");
        none.Error.ShouldContain(" keys.kms: Cannot decrypt");
        none.Error.ShouldNotContain("PLANTED");
    }

    [Fact]
    public void Slots_of_services_are_added_and_removed_but_somebody_must_be_able_to_open()
    {
        Configure("passphrase: env:FBACKUP_PASSPHRASE");
        _fbackup.Run("init", "--recovery-key-file", "recovery.txt").Expect(0);
        _fbackup.Run("backup", "run").Expect(0);
        _fbackup.Run("repository", "keys", "add", "--kms", "my-key").Expect(2);
        _fbackup.Run("repository", "keys", "add", "--kms", _arn, "--keyvault", _vault.Vault).Expect(2);
        Configure("passphrase: env:FBACKUP_PASSPHRASE", $"kms_endpoint: \"{_kms.Endpoint}\"");
        _kms.Permissions.Remove("Encrypt");
        _fbackup.Run("repository", "keys", "add", "--kms", _arn).Expect(1).Error.ShouldContain("The key slot was not added. Cannot encrypt");
        _kms.Permissions.Add("Encrypt");
        var added = _fbackup.Run("repository", "keys", "add", "--kms", _arn, "--json").Expect(0).Json;
        added["key"]!.GetValue<string>().ShouldBe(_arn);
        _fbackup.Run("repository", "keys", "add", "--keyvault", $"{_vault.Vault}/keys/backup").Expect(0);
        _fbackup.Run("repository", "keys", "list").Expect(0).Output.ShouldContain(_arn);

        Configure(Kms);
        foreach (var slot in Slots().Where(s => s["kind"]!.GetValue<string>() is "passphrase"))
            _fbackup.Run("repository", "keys", "remove", slot["id"]!.GetValue<string>()).Expect(0);
        var recovery = Slots().Single(s => s["kind"]!.GetValue<string>() == "recovery")["id"]!.GetValue<string>();
        _fbackup.Run("repository", "keys", "remove", recovery).Expect(1).Error.ShouldContain("the last one that a person can open");
        Restores("kms");
    }

    private string Vault => $"keyvault: \"{_vault.Vault}/keys/backup\"";

    private string Kms => $"kms: \"{_arn}\", kms_endpoint: \"{_kms.Endpoint}\"";

    private void Configure(params string[] keys) => _fbackup.Write("backup_config.yaml",
        $"backup_config: {{ keys: {{ {string.Join(", ", keys)} }}, components: {{ voice_data: {{ paths: [./recordings] }} }} }}");

    private IEnumerable<JsonObject> Slots() =>
        _fbackup.Run("repository", "keys", "list", "--json").Expect(0).Json["slots"]!.AsArray().Select(s => s!.AsObject());

    private void Restores(string target)
    {
        // What another folder has learned of the keys must not help.
        _fbackup.Environment["FBACKUP_STATE"] = _fbackup.PathOf("state-" + target.Replace(':', '-'));
        var folder = target.Replace(':', '-');
        _fbackup.Run("restore", "voice_data", "latest", "--target", folder).Expect(0);
        Directory.EnumerateFiles(_fbackup.PathOf(folder), "call.txt", SearchOption.AllDirectories).Select(File.ReadAllText).ShouldBe(["hello"]);
    }
}
