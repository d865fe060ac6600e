using FunctionsBackup.Operations.Configuration;

namespace FunctionsBackup.Tests.Operations.Configuration;

/// <summary>The block <c>storage:</c>.</summary>
public sealed class StorageTests
{
    [Fact]
    public void An_s3_store_is_read_whole()
    {
        var storage = Load.Text("""
            backup_config:
              global: { storage_backend: s3 }
              storage:
                bucket: b
                endpoint: https://s3.example.org
                region: eu-central-1
                prefix: site/a
                path_style: false
                access_key: env:KEY
                secret_key: file:/run/secret
                storage_class: STANDARD_IA
                kms_key: alias/backup
                tags: [team=voice]
                conditional_create: single_writer
                connections: 32
                request_timeout: 30s
                operation_timeout: 5m
                attempts: 4
                part_size: 8
            """).Storage;
        storage.S3.Bucket.ShouldBe("b");
        storage.S3.PathStyle.ShouldBe(false);
        storage.S3.AccessKey!.ToString().ShouldBe("env:KEY");
        storage.S3.SingleWriter.ShouldBeTrue();
        storage.S3.StorageClass.ShouldBe("STANDARD_IA");
        storage.Tags.ShouldBe(["team=voice"]);
        (storage.Connections, storage.Attempts, storage.PartSize).ShouldBe((32, 4, 8 << 20));
        (storage.RequestTimeout, storage.OperationTimeout).ShouldBe((TimeSpan.FromSeconds(30), TimeSpan.FromMinutes(5)));
        storage.FindProblem("s3").ShouldBeNull();
    }

    [Fact]
    public void Locks_are_asked_for_by_their_mode()
    {
        const string Head = "backup_config:\n  storage: { bucket: b, account: a, container: c, immutability: ";
        Load.Text(Head + "{ mode: compliance, days: 90 } }").Storage.Immutability.ShouldBe(new ImmutabilitySettings(true, 90));
        Load.Text(Head + "{ mode: governance } }").Storage.Immutability.ShouldBe(new ImmutabilitySettings(false, 30));
        Load.Text("backup_config:\n  storage: { bucket: b }").Storage.Immutability.ShouldBeNull();
        Load.Refused(Head + "{ days: 90 } }").Message.ShouldContain("storage.immutability.mode");
        Load.Refused(Head + "{ mode: strict } }").Message.ShouldContain("governance or compliance");
        Load.Refused(Head + "{ mode: compliance, days: 0 } }").Message.ShouldContain("from 1 to 36500");
        var storage = Load.Text(Head + "{ mode: compliance } }").Storage;
        storage.FindProblem("s3").ShouldBeNull();
        storage.FindProblem("azure_blob").ShouldBeNull();
        storage.FindProblem("filesystem").ShouldNotBeNull().ShouldContain("a folder cannot lock");
    }

    [Fact]
    public void An_azure_blob_store_is_read_whole()
    {
        var storage = Load.Text("""
            backup_config:
              storage: { account: a, container: c, sas: env:SAS, tier: cool, managed_identity: 1234 }
            """).Storage;
        storage.AzureBlob.ShouldBe(new AzureBlobSettings(
            "a", "c", null, new(FunctionsBackup.Operations.Configuration.Values.SecretKind.Environment, "SAS"), null, "1234", "cool"));
        storage.FindProblem("azure_blob").ShouldBeNull();
        storage.S3.PathStyle.ShouldBeNull();
    }

    [Theory]
    [InlineData("s3", "{ region: x }", "set storage.bucket")]
    [InlineData("s3", "{ bucket: b, access_key: env:A }", "belong together")]
    [InlineData("s3", "{ bucket: b, storage_class: DEEP_ARCHIVE }", "cannot be read at once")]
    [InlineData("s3", "{ bucket: b, tags: [team] }", "write name=value")]
    [InlineData("s3", "{ bucket: b, endpoint: 'wss://x' }", "https://")]
    [InlineData("azure_blob", "{ account: a }", "set storage.container")]
    [InlineData("azure_blob", "{ container: c }", "set storage.account")]
    [InlineData("s3", "{ bucket: b, endpoint: 'http://s3.example.org' }", null)]
    public void What_keeps_a_store_from_being_opened_is_one_sentence_and_a_note(string backend, string storage, string? problem)
    {
        var configuration = Load.Text($"backup_config: {{ global: {{ storage_backend: {backend} }}, storage: {storage} }}");
        if (problem is null)
        {
            configuration.Storage.FindProblem(backend).ShouldBeNull();
            configuration.Notes.ShouldContain(n => n.Contains("not encrypted on the way", StringComparison.Ordinal));
            return;
        }

        configuration.Storage.FindProblem(backend).ShouldNotBeNull().ShouldContain(problem);
        configuration.Notes.ShouldContain(n => n.Contains(problem, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("secret_key: PLANTED", "must be a reference")]
    [InlineData("sas: 'sv=2024&sig=PLANTED'", "must be a reference")]
    [InlineData("tier: archive", "hot, cool or cold")]
    [InlineData("connections: 0", "from 1 to 256")]
    [InlineData("request_timeout: 5", "length of time")]
    [InlineData("endpoint: 'https://key:PLANTED@host'", "must not hold a user name")]
    public void What_cannot_be_is_refused_and_not_repeated(string setting, string words)
    {
        var error = Should.Throw<ConfigurationException>(() => Load.Text($"backup_config: {{ storage: {{ {setting} }} }}"));
        error.Message.ShouldContain(words);
        error.Message.ShouldNotContain("PLANTED");
    }
}
