using FunctionsBackup.Operations.Configuration;
using FunctionsBackup.Operations.Configuration.Values;

namespace FunctionsBackup.Tests.Operations.Configuration;

/// <summary>The forms of the file that must load as they are.</summary>
public sealed class ExampleTests
{
    private const string Basic = """
        backup_config:
          global:
            storage_backend: s3            # filesystem | s3 | azure_blob
            encryption: true
            compression: true              # or zstd | lz4 | gzip | none, and a level
            parallel_jobs: 4
          policies:
            postgres:
              schedule: { full_backup: "0 2 * * *", incremental: "0 */4 * * *" }
              retention: { full_backups: 30 }
            redis:
              schedule: { snapshot: "0 */2 * * *" }
              retention: { snapshots: 7 }
            voice_data:
              schedule: { full_backup: "0 3 * * *" }
              retention: { recordings: 90 }

        """;

    private const string Blocks = """
          storage: { path: ./repository }                    # or bucket, endpoint, region · account, container
          keys: { passphrase: env:FBACKUP_PASSPHRASE }       # further slots beside it
          components:
            postgres: { connection: env:PGCONNECTION, data_directory: /path/when/beside/it, mode: auto }
            redis: { connection: env:REDIS_URL }
            voice_data: { paths: [./recordings], exclude: ["*.tmp"] }
            logs: { paths: [./logs] }
            configuration: { paths: [./config] }
            livekit: { url: "https://livekit.example", api_key: env:LK_KEY, api_secret: env:LK_SECRET }
          objectives: { database: { rto: 60 min, rpo: 15m } }
          replication: { replicas: [ { name: offsite, storage_backend: s3, bucket: copies, region: eu-west-1 } ] }
          notifications: { mail: { to: someone@example.org } }
          restore_tests: { schedule: "0 5 * * 0" }
          recovery:
            plan: ./runbook.yaml

        """;

    [Fact]
    public void The_policies_form_loads()
    {
        var configuration = Load.Text(Basic);
        configuration.Global.ShouldBe(new GlobalSettings("s3", true, new CompressionSetting(CompressionAlgorithm.Zstd), 4));
        configuration.Effective("policies.postgres.schedule.incremental").Value.ShouldBe("0 */4 * * *");
        configuration.Retention("postgres").FullBackups.ShouldBe(30);
        configuration.Retention("redis").Snapshots.ShouldBe(7);
        configuration.Retention("voice_data").Recordings.ShouldBe(90);
        configuration.Retention("logs").IsEmpty.ShouldBeTrue();
        configuration.ConfiguredComponents.ShouldBeEmpty();
    }

    [Fact]
    public void All_blocks_load()
    {
        var configuration = Load.Text(Basic + Blocks);
        configuration.Storage.Path.ShouldBe("/etc/site/repository");
        configuration.Keys.Passphrase.ShouldBe(new SecretReference(SecretKind.Environment, "FBACKUP_PASSPHRASE"));
        configuration.Postgres.ShouldBe(new PostgresSettings(
            new SecretReference(SecretKind.Environment, "PGCONNECTION"), "/path/when/beside/it", "auto", true, "fbackup", null));
        configuration.Files("voice_data")!.Paths.ShouldBe(["/etc/site/recordings"]);
        configuration.Files("voice_data")!.Exclude.ShouldBe(["*.tmp"]);
        configuration.ConfiguredComponents.ShouldBe(["postgres", "redis", "voice_data", "logs", "configuration", "livekit"]);
        configuration.Notes.Count(n => n.Contains("not used by this version", StringComparison.Ordinal)).ShouldBe(2);
        configuration.RestoreTests.Schedule.LatestBetween(At(20), At(23)).ShouldBe(At(22).AddHours(5)); // a Sunday
        configuration.RestoreTests.Sample.ShouldBe(1);

        static DateTimeOffset At(int day) => new(2026, 11, day, 0, 0, 0, TimeSpan.Zero);
    }

    [Fact]
    public void Objectives_have_defaults()
    {
        var objectives = Load.Text("backup_config:").Objectives;
        (objectives.Database.Rto.TotalMinutes, objectives.Database.Rpo.TotalMinutes).ShouldBe((60, 15));
        (objectives.Cache.Rto.TotalMinutes, objectives.Cache.Rpo.TotalMinutes).ShouldBe((30, 120));
        (objectives.VoiceData.Rto.TotalMinutes, objectives.VoiceData.Rpo.TotalMinutes).ShouldBe((90, 360));
        (objectives.FullSystem.Rto.TotalMinutes, objectives.FullSystem.Rpo.TotalMinutes).ShouldBe((180, 30));
        objectives.For("postgres").ShouldBe(objectives.Database);
        objectives.For("redis").ShouldBe(objectives.Cache);
        objectives.For("voice_data").ShouldBe(objectives.VoiceData);
        objectives.For("logs").ShouldBe(objectives.FullSystem);
    }

    [Theory]
    [InlineData("0 2 * * *")]
    [InlineData("0 0 2 * * *")]
    [InlineData("0 */4 * * *")]
    [InlineData("30 4 1,15 * MON-FRI")]
    [InlineData("0 0 0 1 JAN sun")]
    [InlineData("*/15 0-6/2 * * *")]
    public void Schedules_have_five_fields_or_six(string cron)
    {
        var text = "backup_config: { policies: { postgres: { schedule: { full_backup: \"" + cron + "\" } } } }";
        Load.Text(text).Effective("policies.postgres.schedule.full_backup").Value.ShouldBe(cron);
        CronSchedule.TryParse(cron, out var schedule).ShouldBeNull();
        schedule!.SixFields.Split(' ').Length.ShouldBe(6);
    }

    [Theory]
    [InlineData("true", "zstd")]
    [InlineData("false", "none")]
    [InlineData("none", "none")]
    [InlineData("lz4", "lz4")]
    [InlineData("gzip", "gzip")]
    [InlineData("zstd:6", "zstd:6")]
    [InlineData("{ algorithm: zstd, level: 19 }", "zstd:19")]
    [InlineData("{ algorithm: lz4 }", "lz4")]
    public void Compression_has_an_algorithm_and_perhaps_a_level(string yaml, string shown) =>
        Load.Text("backup_config: { global: { compression: " + yaml + " } }").Global.Compression.ToString().ShouldBe(shown);

    [Theory]
    [InlineData("60 min", 3600)]
    [InlineData("90s", 90)]
    [InlineData("1h30m", 5400)]
    [InlineData("2 hours", 7200)]
    [InlineData("30d", 2_592_000)]
    public void Durations_carry_their_unit(string text, int seconds) =>
        Load.Text("backup_config: { objectives: { cache: { rto: " + text + " } } }").Objectives.Cache.Rto.TotalSeconds.ShouldBe(seconds);

    [Fact]
    public void Paths_start_at_the_folder_of_the_file()
    {
        var configuration = Load.Text("backup_config: { storage: { path: ../backups }, components: { logs: { paths: [/var/log, app/logs] } } }");
        configuration.Storage.Path.ShouldBe("/etc/backups");
        configuration.Files("logs")!.Paths.ShouldBe(["/var/log", "/etc/site/app/logs"]);
    }
}
