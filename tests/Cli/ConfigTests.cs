namespace FunctionsBackup.Tests.Cli;

public sealed class ConfigTests : IDisposable
{
    private readonly Fbackup _fbackup = new();

    public void Dispose() => _fbackup.Dispose();

    [Fact]
    public void Check_accepts_a_valid_file()
    {
        _fbackup.WriteConfiguration();
        _fbackup.Run("config", "check").Expect(0).Output.ShouldBe("./backup_config.yaml is valid.\n");
        _fbackup.Run("--json", "config", "check").Expect(0).Json["valid"]!.GetValue<bool>().ShouldBeTrue();
    }

    [Fact]
    public void The_file_is_named_by_option_or_variable()
    {
        _fbackup.Write("sub/other.yaml", "backup_config:\n");
        _fbackup.Run("--config", "sub/other.yaml", "config", "check").Expect(0).Output.ShouldBe("sub/other.yaml is valid.\n");
        _fbackup.Run("config", "check", "--config", "sub/other.yaml").Expect(0);
        _fbackup.Environment["FBACKUP_CONFIG"] = "sub/other.yaml";
        _fbackup.Run("config", "check").Expect(0).Output.ShouldBe("sub/other.yaml is valid.\n");
    }

    [Fact]
    public void A_missing_file_is_exit_code_2()
    {
        var ran = _fbackup.Run("config", "check").Expect(2);
        ran.Output.ShouldBeEmpty();
        ran.Error.ShouldBe(
            "fbackup: There is no configuration file ./backup_config.yaml; create it, or name another with --config FILE or FBACKUP_CONFIG.\n");
    }

    [Fact]
    public void A_mistake_is_named_with_line_and_column()
    {
        _fbackup.Write("backup_config.yaml", "backup_config:\n  global:\n    paralel_jobs: 4\n");
        var ran = _fbackup.Run("config", "check").Expect(2);
        ran.Error.ShouldBe("fbackup: ./backup_config.yaml:3:5: unknown key 'paralel_jobs' in global; did you mean 'parallel_jobs'?\n");
    }

    [Fact]
    public void Show_says_where_values_come_from_and_never_a_secret()
    {
        _fbackup.WriteConfiguration();
        _fbackup.Environment["FBACKUP__GLOBAL__PARALLEL_JOBS"] = "8";
        var ran = _fbackup.Run("config", "show").Expect(0);
        ran.Output.ShouldMatch(@"(?m)^global\.parallel_jobs +8 +environment variable FBACKUP__GLOBAL__PARALLEL_JOBS$");
        ran.Output.ShouldMatch(@"(?m)^keys\.passphrase +env:FBACKUP_PASSPHRASE +\./backup_config\.yaml:3$");
        ran.Output.ShouldMatch(@"(?m)^global\.compression +zstd +default$");
        (ran.Output + ran.Error).ShouldNotContain("PLANTED");

        var json = _fbackup.Run("config", "show", "--json").Expect(0);
        json.Json["settings"]!.AsArray().Single(
            s => s!["path"]!.GetValue<string>() == "global.parallel_jobs")!["value"]!.GetValue<int>().ShouldBe(8);
        (json.Output + json.Error).ShouldNotContain("PLANTED");
    }

    [Fact]
    public void A_literal_secret_is_refused_and_not_printed()
    {
        _fbackup.Write("backup_config.yaml", "backup_config:\n  keys: { passphrase: PLANTED-secret }\n");
        _fbackup.Environment["FBACKUP_DEBUG"] = "1";
        var ran = _fbackup.Run("backup", "list").Expect(2);
        ran.Error.ShouldContain("backup_config.yaml:2:23: keys.passphrase must be a reference");
        (ran.Output + ran.Error).ShouldNotContain("PLANTED");
    }

    [Theory]
    [InlineData("s3", "set storage.bucket")]
    [InlineData("azure_blob", "set storage.container")]
    public void A_backend_whose_place_is_not_named_is_noted_and_cannot_be_opened(string backend, string mend)
    {
        _fbackup.Write("backup_config.yaml", "backup_config: { global: { storage_backend: " + backend
            + " }, keys: { passphrase: env:FBACKUP_PASSPHRASE } }");
        _fbackup.Run("config", "check").Expect(0).Error.ShouldContain(mend);
        _fbackup.Run("backup", "list").Expect(2).Error.ShouldContain(mend);
    }
}
