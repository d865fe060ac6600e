using FunctionsBackup.Operations.Configuration;
using FunctionsBackup.Operations.Configuration.Values;

namespace FunctionsBackup.Tests.Operations.Configuration;

public sealed class SecretTests : IDisposable
{
    private const string Planted = "hunter2-PLANTED-secret";
    private readonly string _folder = Directory.CreateTempSubdirectory("fbackup-secrets-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("backup_config: { keys: { passphrase: hunter2-PLANTED-secret } }")]
    [InlineData("backup_config: { keys: { passphrase: \"hunter2-PLANTED-secret\" } }")]
    [InlineData("backup_config: { keys: { passphrase: [hunter2-PLANTED-secret] } }")]
    [InlineData("backup_config: { keys: { passphrase: \"env:hunter2-PLANTED-secret\" } }")]
    [InlineData("backup_config: { keys: { passphrase: \"vault:hunter2-PLANTED-secret\" } }")]
    [InlineData("backup_config: { keys: { passphras: hunter2-PLANTED-secret } }")]
    [InlineData("backup_config: { keys: hunter2-PLANTED-secret }")]
    [InlineData("backup_config: { components: { postgres: { connection: \"host=h password=hunter2-PLANTED-secret\" } } }")]
    [InlineData("backup_config: { components: { livekit: { url: \"https://me:hunter2-PLANTED-secret@h\", api_key: env:A, api_secret: env:B } } }")]
    [InlineData("backup_config: { storage: { secret_key: hunter2-PLANTED-secret } }")]
    [InlineData("backup_config: { keys: { passphrase: \"hunter2-PLANTED-secret } }")]
    public void A_literal_secret_is_refused_and_not_repeated(string yaml)
    {
        var error = Load.Refused(yaml);
        error.Message.ShouldNotContain(Planted);
        error.ToString().ShouldNotContain(Planted);
        error.Errors[0].Line.ShouldBe(1);
    }

    [Fact]
    public void A_literal_secret_from_the_environment_is_refused_and_not_repeated()
    {
        var error = Load.Refused("backup_config:", ("FBACKUP__KEYS__PASSPHRASE", Planted));
        error.Message.ShouldContain("environment variable FBACKUP__KEYS__PASSPHRASE");
        error.Message.ShouldContain("write env:NAME, file:PATH or keyvault:NAME");
        error.Message.ShouldNotContain(Planted);
    }

    [Fact]
    public void Show_has_the_reference_and_never_the_secret()
    {
        var configuration = Load.Text("backup_config: { keys: { passphrase: env:PASS } }", ("PASS", Planted));
        configuration.Effective("keys.passphrase").Value.ShouldBe("env:PASS");
        string.Join('\n', configuration.Effective.Select(e => $"{e} {e.Display}")).ShouldNotContain(Planted);
    }

    [Fact]
    public void A_variable_is_read_when_it_is_asked_for() =>
        Resolver(out _, ("PASS", Planted)).Resolve(Reference("env:PASS"), "keys.passphrase").ShouldBe(Planted);

    [Fact]
    public void A_missing_variable_is_named() =>
        Should.Throw<ConfigurationException>(() => Resolver(out _).Resolve(Reference("env:PASS"), "keys.passphrase"))
            .Message.ShouldBe("The environment variable PASS, which keys.passphrase names, is not set; set it and run this again.");

    [Fact]
    public void An_empty_secret_is_refused() =>
        Should.Throw<ConfigurationException>(() => Resolver(out _, ("PASS", "")).Resolve(Reference("env:PASS"), "keys.passphrase"))
            .Message.ShouldContain("env:PASS, which keys.passphrase names, is empty");

    [Theory]
    [InlineData("secret", "secret")]
    [InlineData("secret\n", "secret")]
    [InlineData("secret\r\n", "secret")]
    [InlineData(" se cret \n\n", " se cret \n")]
    public void A_file_is_read_without_its_last_line_end(string content, string secret)
    {
        var file = Write(content, UnixFileMode.UserRead);
        Resolver(out var warnings).Resolve(Reference($"file:{file}"), "keys.passphrase").ShouldBe(secret);
        warnings.ShouldBeEmpty();
    }

    [Fact]
    public void A_file_that_everybody_can_read_is_warned_of()
    {
        var file = Write("secret", UnixFileMode.UserRead | UnixFileMode.OtherRead);
        Resolver(out var warnings).Resolve(Reference($"file:{file}"), "keys.passphrase").ShouldBe("secret");
        warnings.ShouldHaveSingleItem().ShouldContain("run chmod 600");
    }

    [Fact]
    public void Files_that_cannot_serve_are_named()
    {
        Refusal($"file:{_folder}/none").ShouldContain("does not exist");
        Refusal($"file:{_folder}").ShouldContain("cannot be read");
        var file = Path.Combine(_folder, "large");
        File.WriteAllBytes(file, new byte[(64 << 10) + 1]);
        Refusal($"file:{file}").ShouldContain("larger than 64 KiB");
        File.WriteAllBytes(file, [0xFF]);
        Refusal($"file:{file}").ShouldContain("not UTF-8");

        string Refusal(string reference) =>
            Should.Throw<ConfigurationException>(() => Resolver(out _).Resolve(Reference(reference), "keys.passphrase")).Message;
    }

    [Fact]
    public void Key_Vault_loads_and_says_that_it_is_not_available()
    {
        Load.Text("backup_config: { keys: { passphrase: keyvault:site/backup-passphrase } }").Keys.Passphrase!.Kind.ShouldBe(SecretKind.KeyVault);
        Should.Throw<ConfigurationException>(() => Resolver(out _).Resolve(Reference("keyvault:a"), "keys.passphrase"))
            .Message.ShouldContain("not available in this build yet");
    }

    [Fact]
    public void A_relative_file_starts_at_the_folder_of_the_configuration() =>
        Load.Text("backup_config: { keys: { passphrase: file:pass.txt } }").Keys.Passphrase!.Name.ShouldBe("/etc/site/pass.txt");

    private string Write(string content, UnixFileMode mode)
    {
        var file = Path.Combine(_folder, "secret");
        File.WriteAllText(file, content);
        File.SetUnixFileMode(file, mode);
        return file;
    }

    private static SecretReference Reference(string text) =>
        SecretReference.TryParse(text, out var reference) ? reference : throw new ArgumentException(text);

    private static SecretResolver Resolver(out List<string> warnings, params (string Name, string Value)[] environment)
    {
        var told = warnings = [];
        return new SecretResolver(environment.ToDictionary(e => e.Name, e => e.Value), told.Add);
    }
}
