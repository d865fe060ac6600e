namespace FunctionsBackup.Tests.Operations.Configuration;

public sealed class EnvironmentTests
{
    private const string Yaml = "backup_config:\n  global:\n    parallel_jobs: 4\n";

    [Fact]
    public void Values_say_where_they_come_from()
    {
        var configuration = Load.Text(Yaml, ("FBACKUP__GLOBAL__COMPRESSION", "lz4"));
        configuration.Effective("global.parallel_jobs").ShouldBe(("4", "backup_config.yaml:3"));
        configuration.Effective("global.compression").ShouldBe(("lz4", "environment variable FBACKUP__GLOBAL__COMPRESSION"));
        configuration.Effective("global.storage_backend").ShouldBe(("filesystem", "default"));
        configuration.Effective("storage.bucket").ShouldBe(("", "default"));
    }

    [Theory]
    [InlineData("FBACKUP__GLOBAL__PARALLEL_JOBS")]
    [InlineData("fbackup__global__parallel_jobs")]
    [InlineData("FBackup__Global__Parallel_Jobs")]
    public void A_variable_overrides_the_file(string name) => Load.Text(Yaml, (name, "8")).Global.ParallelJobs.ShouldBe(8);

    [Fact]
    public void A_variable_can_configure_a_component()
    {
        var configuration = Load.Text(
            Yaml, ("FBACKUP__COMPONENTS__POSTGRES__CONNECTION", "env:PG"), ("FBACKUP__COMPONENTS__LOGS__PATHS", "./logs"),
            ("FBACKUP__COMPONENTS__VOICE_DATA__PATHS", "[a, \"b c\"]"));
        configuration.ConfiguredComponents.ShouldBe(["postgres", "voice_data", "logs"]);
        configuration.Files("logs")!.Paths.ShouldBe(["/etc/site/logs"]);
        configuration.Files("voice_data")!.Paths.ShouldBe(["/etc/site/a", "/etc/site/b c"]);
    }

    [Theory]
    [InlineData("FBACKUP__GLOBAL__PARALEL_JOBS", "4", "there is no setting 'global.paralel_jobs'; did you mean FBACKUP__GLOBAL__PARALLEL_JOBS?")]
    [InlineData("FBACKUP__NONSENSE", "4", "there is no setting 'nonsense'")]
    [InlineData("FBACKUP__GLOBAL", "4", "there is no setting 'global'")]
    [InlineData("FBACKUP__GLOBAL__PARALLEL_JOBS", "100", "global.parallel_jobs must be a whole number from 1 to 64")]
    [InlineData("FBACKUP__COMPONENTS__LOGS__PATHS", "[a", "not valid YAML")]
    [InlineData("FBACKUP__COMPONENTS__LOGS__EXCLUDE", "a", "components.logs.paths is missing")]
    public void A_wrong_variable_is_an_error(string name, string value, string message) =>
        Load.Refused(Yaml, (name, value)).Message.ShouldContain(message);

    [Fact]
    public void Other_variables_are_left_alone() => Load.Text(Yaml, ("FBACKUP_DEBUG", "1"), ("FBACKUP_PASSPHRASE", "x"), ("PATH", "/bin"));
}
