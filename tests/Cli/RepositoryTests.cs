namespace FunctionsBackup.Tests.Cli;

/// <summary>Making, opening and listing a repository.</summary>
public sealed class RepositoryTests : IDisposable
{
    private readonly Fbackup _fbackup = new();

    public RepositoryTests()
    {
        _fbackup.WriteConfiguration();
        _fbackup.Write("recordings/call.txt", "hello");
    }

    public void Dispose() => _fbackup.Dispose();

    [Fact]
    public void Init_needs_somebody_who_keeps_the_recovery_key()
    {
        var ran = _fbackup.Run("init").Expect(2);
        ran.Output.ShouldBeEmpty();
        ran.Error.ShouldContain("add --yes");
        Directory.Exists(_fbackup.PathOf("repository")).ShouldBeFalse();
    }

    [Fact]
    public void Init_prints_the_recovery_key_once()
    {
        var first = _fbackup.Run("init", "--yes").Expect(0);
        first.Output.ShouldMatch(@"(?m)^recovery key: FBRK(-[0-9A-Z]{4}){14}$");
        first.Error.ShouldNotContain("FBRK");
        var second = _fbackup.Run("init").Expect(0);
        second.Output.ShouldContain("nothing was changed");
        (second.Output + second.Error).ShouldNotContain("FBRK-");
    }

    [Fact]
    public void Init_as_json_is_one_document()
    {
        var made = _fbackup.Run("init", "--yes", "--json").Expect(0).Json;
        made["created"]!.GetValue<bool>().ShouldBeTrue();
        made["recovery_key"]!.GetValue<string>().ShouldStartWith("FBRK-");
        var again = _fbackup.Run("init", "--json").Expect(0).Json;
        again["created"]!.GetValue<bool>().ShouldBeFalse();
        again["recovery_key"].ShouldBeNull();
        again["repository_id"]!.GetValue<string>().ShouldBe(made["repository_id"]!.GetValue<string>());
    }

    [Fact]
    public void The_recovery_key_opens_when_the_passphrase_is_lost()
    {
        var init = _fbackup.Run("init", "--recovery-key-file", "key.txt").Expect(0);
        (init.Output + init.Error).ShouldNotContain("FBRK-");
        File.GetUnixFileMode(_fbackup.PathOf("key.txt")).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        _fbackup.Environment["FBACKUP_PASSPHRASE"] = null;
        _fbackup.Run("backup", "list").Expect(2).Error.ShouldContain(
            "The environment variable FBACKUP_PASSPHRASE, which keys.passphrase names, is not set");
        _fbackup.Run("backup", "list", "--recovery-key-file", "key.txt").Expect(0);
        _fbackup.Run("backup", "list", "--recovery-key-file", "none.txt").Expect(2).Error.ShouldContain("none.txt cannot be read");
        _fbackup.Write("bad.txt", "FBRK-0000");
        _fbackup.Run("backup", "list", "--recovery-key-file", "bad.txt").Expect(2);
    }

    [Fact]
    public void Init_never_replaces_a_file()
    {
        _fbackup.Write("key.txt", "precious");
        _fbackup.Run("init", "--recovery-key-file", "key.txt").Expect(2).Error.ShouldContain("exists already");
        File.ReadAllText(_fbackup.PathOf("key.txt")).ShouldBe("precious");
        _fbackup.Run("backup", "list").Expect(4);
    }

    [Fact]
    public void A_wrong_passphrase_is_exit_code_2_and_not_repeated()
    {
        _fbackup.Run("init", "--yes").Expect(0);
        _fbackup.Environment["FBACKUP_PASSPHRASE"] = "wrong-PLANTED";
        _fbackup.Environment["FBACKUP_DEBUG"] = "1";
        var ran = _fbackup.Run("backup", "list").Expect(2);
        ran.Output.ShouldBeEmpty();
        ran.Error.ShouldContain("The passphrase is wrong.");
        ran.Error.ShouldNotContain("PLANTED");
    }

    [Fact]
    public void No_repository_is_exit_code_4()
    {
        // A folder that is missing may be a disk that is not mounted: that is a failure, not an answer.
        _fbackup.Run("backup", "list").Expect(1).Error.ShouldContain("mount its disk, or create the store with 'fbackup init'");
        Directory.CreateDirectory(_fbackup.PathOf("repository"));
        _fbackup.Run("backup", "list").Expect(4);
        _fbackup.Write("repository/config", "not a repository");
        _fbackup.Run("backup", "list").Error.ShouldStartWith("fbackup: ");
    }

    [Fact]
    public void Without_encryption_no_key_is_needed()
    {
        _fbackup.Write("backup_config.yaml",
            "backup_config: { global: { encryption: false }, components: { voice_data: { paths: [./recordings] } } }");
        var init = _fbackup.Run("init", "--json").Expect(0).Json;
        init["encrypted"]!.GetValue<bool>().ShouldBeFalse();
        init["recovery_key"].ShouldBeNull();
        _fbackup.Environment["FBACKUP_PASSPHRASE"] = null;
        _fbackup.Run("backup", "run").Expect(0);
    }

    [Fact]
    public void Keys_are_listed_added_and_removed_but_never_the_last()
    {
        _fbackup.Run("init", "--yes").Expect(0);
        _fbackup.Environment["OTHER"] = "other-PLANTED";
        _fbackup.Run("repository", "keys", "add").Expect(2);
        _fbackup.Run("repository", "keys", "add", "--passphrase", "other-PLANTED").Expect(2).Error.ShouldNotContain("PLANTED");
        var added = _fbackup.Run("repository", "keys", "add", "--passphrase", "env:OTHER", "--label", "ops", "--json").Expect(0).Json;
        var slots = _fbackup.Run("repository", "keys", "list", "--json").Expect(0).Json["slots"]!.AsArray();
        slots.Select(s => s!["label"]!.GetValue<string>()).ShouldBe(["keys.passphrase", "recovery key", "ops"], ignoreOrder: true);
        _fbackup.Environment["FBACKUP_PASSPHRASE"] = "other-PLANTED";
        foreach (var slot in slots.Where(s => s!["label"]!.GetValue<string>() != "ops"))
            _fbackup.Run("repository", "keys", "remove", slot!["id"]!.GetValue<string>()).Expect(0);
        _fbackup.Run("backup", "list").Expect(0);
        _fbackup.Run("repository", "keys", "remove", added["id"]!.GetValue<string>()).Expect(1).Error.ShouldContain("is the last one");
    }
}
