using FunctionsBackup.Operations.Configuration;

namespace FunctionsBackup.Tests.Operations.Configuration;

/// <summary>Everything wrong is named with its place and its mend.</summary>
public sealed class RefusalTests
{
    [Theory]
    // unknown keys
    [InlineData("backup_config:\n  global:\n    paralel_jobs: 4\n", "3:5", "unknown key 'paralel_jobs' in global; did you mean 'parallel_jobs'?")]
    [InlineData("backup_config:\n  globals: {}\n", "2:3", "unknown key 'globals' in backup_config; did you mean 'global'?")]
    [InlineData("backup_config:\n  parallel_jobs: 4\n", "2:3", "it belongs at global.parallel_jobs")]
    [InlineData("backup_config:\n  components:\n    mysql: {}\n", "3:5", "unknown key 'mysql' in components; known here: configuration, livekit, logs")]
    [InlineData("backup_confg:\n  global: {}\n", "1:1", "everything stands under 'backup_config:'")]
    [InlineData("global: {}\n", "1:1", "everything stands under 'backup_config:'")]
    [InlineData("backup_config: {}\nother: 1\n", "2:1", "unknown key 'other'")]
    // duplicates
    [InlineData("backup_config:\n  global: { parallel_jobs: 1 }\n  global: {}\n", "3:3", "'global' stands in backup_config twice, first on line 2")]
    [InlineData("backup_config:\n  global:\n    parallel_jobs: 1\n    parallel_jobs: 2\n", "4:5", "'parallel_jobs' stands in global twice")]
    [InlineData("backup_config: {}\nbackup_config: {}\n", "2:1", "a second time")]
    // types and ranges
    [InlineData("backup_config: { global: { parallel_jobs: 0 } }", "1:43", "must be a whole number from 1 to 64")]
    [InlineData("backup_config: { global: { parallel_jobs: 65 } }", "1:43", "from 1 to 64")]
    [InlineData("backup_config: { global: { parallel_jobs: many } }", "1:43", "must be a whole number")]
    [InlineData("backup_config: { global: { parallel_jobs: \"4\" } }", "1:43", "must be a whole number")]
    [InlineData("backup_config: { global: { parallel_jobs: 99999999999 } }", "1:43", "must be a whole number")]
    [InlineData("backup_config: { global: { parallel_jobs: [4] } }", "1:43", "not a list")]
    [InlineData("backup_config:\n  global:\n    parallel_jobs:\n", "3:5", "has no value")]
    [InlineData("backup_config: { global: { encryption: yes } }", "1:40", "must be true or false")]
    [InlineData("backup_config: { global: { encryption: false }, keys: { passphrase: env:P } }", "1:28", "remove one of the two")]
    [InlineData("backup_config: { global: { storage_backend: s4 } }", "1:45", "must be filesystem, s3 or azure_blob; did you mean s3")]
    [InlineData("backup_config: { global: { compression: zip } }", "1:41", "must be true, false, zstd, lz4, gzip or none")]
    [InlineData("backup_config: { global: { compression: zstd:23 } }", "1:41", "must have a level from 1 to 22 for zstd")]
    [InlineData("backup_config: { global: { compression: none:1 } }", "1:41", "has no level")]
    [InlineData("backup_config: { global: { compression: { level: 3 } } }", "1:41", "must name its algorithm")]
    [InlineData("backup_config: { global: { compression: { algorithm: zstd, speed: 3 } } }", "1:60", "one algorithm and one level")]
    [InlineData("backup_config: { global: { encryption: false }, keys: { kms: \"arn:aws:kms:eu-west-1:123456789012:key/1\" } }", "1:28", "keys.kms is set")]
    [InlineData("backup_config: { keys: { keyvault: \"http://v.vault.azure.net/keys/k\" } }", "1:26", "must be the address of a key")]
    [InlineData("backup_config: { keys: { keyvault: \"https://v.vault.azure.net/secrets/k\" } }", "1:26", "must be the address of a key")]
    [InlineData("backup_config: { keys: { kms: my-key } }", "1:26", "must be the ARN of a key")]
    [InlineData("backup_config: { keys: { kms_endpoint: \"http://kms.example\" } }", "1:26", "must be an https:// address")]
    [InlineData("backup_config: { global: 4 }", "1:26", "global must be a group of keys, not a text")]
    [InlineData("backup_config: [1]", "1:16", "backup_config must be a group of keys, not a list")]
    [InlineData("- 1", "1:1", "must begin with 'backup_config:'")]
    [InlineData("backup_config: { components: { voice_data: { paths: ./x } } }", "1:53", "must be a list in square brackets, not a text")]
    [InlineData("backup_config: { components: { voice_data: { paths: [] } } }", "1:53", "at least one path")]
    [InlineData("backup_config: { components: { voice_data: { paths: [\"\"] } } }", "1:54", "none of them empty")]
    [InlineData("backup_config: { components: { voice_data: { exclude: [a] } } }", "1:32", "components.voice_data.paths is missing")]
    [InlineData("backup_config: { components: { postgres: { mode: auto } } }", "1:32", "components.postgres.connection is missing")]
    [InlineData("backup_config: { components: { postgres: { connection: env:A, mode: direct } } }", "1:63", "needs data_directory")]
    [InlineData("backup_config: { components: { livekit: { url: ftp://x, api_key: env:A, api_secret: env:B } } }", "1:48", "http:// or https://")]
    [InlineData("backup_config: { objectives: { cache: { rto: 60 } } }", "1:46", "a length of time with its unit")]
    [InlineData("backup_config: { objectives: { cache: { rto: 0m } } }", "1:46", "a length of time with its unit")]
    [InlineData("backup_config: { objectives: { cache: { rto: 999999999d } } }", "1:46", "a length of time with its unit")]
    [InlineData("backup_config: { policies: { redis: { retention: { snapshots: -1 } } } }", "1:63", "from 1 to 100000")]
    [InlineData("backup_config: { notifications: mail }", "1:33", "must be a group of keys")]
    // schedules
    [InlineData("backup_config: { policies: { redis: { schedule: { snapshot: \"0 2 * *\" } } } }", "1:61", "must have 5 fields")]
    [InlineData("backup_config: { policies: { redis: { schedule: { snapshot: \"60 2 * * *\" } } } }", "1:61", "minute field")]
    [InlineData("backup_config: { policies: { redis: { schedule: { snapshot: \"0 24 * * *\" } } } }", "1:61", "hour field")]
    [InlineData("backup_config: { policies: { redis: { schedule: { snapshot: \"0 2 0 * *\" } } } }", "1:61", "day of month field")]
    [InlineData("backup_config: { policies: { redis: { schedule: { snapshot: \"0 2 * 13 *\" } } } }", "1:61", "month field")]
    [InlineData("backup_config: { policies: { redis: { schedule: { snapshot: \"0 2 * * 7\" } } } }", "1:61", "weekday field")]
    [InlineData("backup_config: { policies: { redis: { schedule: { snapshot: \"0 5-2 * * *\" } } } }", "1:61", "hour field")]
    [InlineData("backup_config: { policies: { redis: { schedule: { snapshot: \"*/0 * * * *\" } } } }", "1:61", "minute field")]
    [InlineData("backup_config: { policies: { redis: { schedule: { snapshot: \"@daily\" } } } }", "1:61", "must have 5 fields")]
    [InlineData("backup_config: { policies: { redis: { schedule: { snapshot: \"61 0 2 * * *\" } } } }", "1:61", "seconds field")]
    // what YAML allows and a configuration does not need
    [InlineData("backup_config:\n  global: &a {}\n  storage: *a\n", "2:11", "anchors are not allowed")]
    [InlineData("backup_config:\n  storage: *a\n", "2:12", "aliases are not allowed")]
    [InlineData("backup_config:\n  global: !!map {}\n", "2:11", "tags are not allowed")]
    [InlineData("backup_config: {}\n---\nbackup_config: {}\n", "2:1", "second YAML document")]
    [InlineData("backup_config:\n\tglobal: {}\n", "2:1", "a tab indents this line")]
    [InlineData("backup_config:\n  global: {\n", "3:1", "not valid YAML")]
    [InlineData("backup_config:\n  ? [a]\n  : 1\n", "2:3", "not a plain word")]
    [InlineData("", "1:1", "the file is empty")]
    [InlineData("# nothing\n", "2:1", "the file is empty")]
    public void Each_mistake_has_line_column_and_mend(string yaml, string place, string message)
    {
        var error = Load.Refused(yaml);
        error.Errors.Count.ShouldBe(1, error.Message);
        $"{error.Errors[0].Line}:{error.Errors[0].Column}".ShouldBe(place, error.Message);
        error.Message.ShouldStartWith($"backup_config.yaml:{place}: ");
        error.Message.ShouldContain(message);
    }

    [Fact]
    public void All_mistakes_are_reported_at_once()
    {
        var error = Load.Refused("backup_config:\n  global: { parallel_jobs: 0, encryptoin: true }\n  stroage: {}\n");
        error.Errors.Select(e => (e.Line, e.Column)).ShouldBe([(2, 28), (2, 31), (3, 3)], ignoreOrder: true);
    }

    [Fact]
    public void Depth_is_limited()
    {
        var error = Load.Refused("backup_config: { notifications: " + string.Concat(Enumerable.Repeat("{ a: ", 100)) + "1" + new string('}', 100) + " }");
        error.Message.ShouldContain("nested deeper than 16");
    }

    [Fact]
    public void Size_is_limited()
    {
        var file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, "backup_config:\n" + new string('#', 1 << 20));
            var error = Should.Throw<ConfigurationException>(() => ConfigurationLoader.LoadFile(file, new Dictionary<string, string>()));
            error.Message.ShouldContain("larger than 1 MiB");
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public void Binary_is_refused_with_its_place()
    {
        var file = Path.GetTempFileName();
        try
        {
            File.WriteAllBytes(file, [(byte)'a', 0xFF, 0xFE]);
            var error = Should.Throw<ConfigurationException>(() => ConfigurationLoader.LoadFile(file, new Dictionary<string, string>()));
            error.Message.ShouldContain("not UTF-8 text (byte 1)");
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public void A_missing_file_says_how_to_name_another() =>
        Should.Throw<ConfigurationException>(() => ConfigurationLoader.LoadFile("/nowhere/backup_config.yaml", new Dictionary<string, string>()))
            .Message.ShouldBe("There is no configuration file /nowhere/backup_config.yaml; create it, or name another with --config FILE or FBACKUP_CONFIG.");
}
