using FunctionsBackup.Operations.Configuration.Values;

namespace FunctionsBackup.Tests.Operations.Configuration;

public sealed class ReplicationTests
{
    [Fact]
    public void Replicas_have_the_settings_of_a_store_each()
    {
        var configuration = Load.Text("""
            backup_config:
              replication:
                max_lag: 2h
                replicas:
                  - { name: offsite, storage_backend: s3, bucket: copies, region: eu-west-1, access_key: env:A, secret_key: env:B, connections: 4 }
                  - { name: blob, storage_backend: azure_blob, account: acc, container: c }
                  - name: disk
                    storage_backend: filesystem
                    path: ./copy
            """);
        configuration.MaximumLag.ShouldBe(TimeSpan.FromHours(2));
        configuration.Replicas.Select(r => (r.Name, r.StorageBackend)).ShouldBe([("offsite", "s3"), ("blob", "azure_blob"), ("disk", "filesystem")]);
        var s3 = configuration.Replicas[0].Storage;
        (s3.S3.Bucket, s3.S3.Region, s3.Connections, s3.Attempts).ShouldBe(("copies", "eu-west-1", 4, 8));
        s3.S3.SecretKey.ShouldBe(new SecretReference(SecretKind.Environment, "B"));
        configuration.Replicas[2].Storage.Path.ShouldBe("/etc/site/copy");
        configuration.Effective("replication.replicas").Value.ShouldBe("[offsite (s3), blob (azure_blob), disk (filesystem)]");
        Load.Text("backup_config:").Replicas.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("{ name: a, storage_backend: s3, buckt: b }", "unknown key 'buckt' in replication.replicas; did you mean 'bucket'?")]
    [InlineData("{ name: a, storage_backend: s3 }", "replica a.bucket")]
    [InlineData("{ name: a, storage_backend: filesystem }", "replica a is a folder, but path does not say which")]
    [InlineData("{ name: a, storage_backend: tape }", "replication.replicas.storage_backend must be")]
    [InlineData("{ name: a }", "replica a does not say its storage_backend")]
    [InlineData("{ storage_backend: filesystem, path: ./copy }", "a replica needs a name")]
    [InlineData("{ name: \"a/b\", storage_backend: filesystem, path: ./copy }", "a replica needs a name")]
    [InlineData("{ name: a, storage_backend: filesystem, path: ./repository }", "replica a is the same place as the repository itself")]
    [InlineData("{ name: a, storage_backend: s3, bucket: b, secret_key: PLANTED, access_key: env:A }", "must be a reference, not the secret itself")]
    [InlineData("{ name: a, name: b, storage_backend: filesystem, path: ./copy }", "'name' stands in this replica twice")]
    [InlineData("a", "an entry of replication.replicas must be a group of keys")]
    [InlineData("{ name: a, storage_backend: filesystem, path: ./x }, { name: a, storage_backend: filesystem, path: ./y }", "two replicas called a")]
    [InlineData("{ name: a, storage_backend: filesystem, path: ./x }, { name: b, storage_backend: filesystem, path: ./x }", "replica b is the same place as replica a")]
    public void What_is_wrong_with_a_replica_is_said(string replicas, string message)
    {
        var refused = Load.Refused($"backup_config: {{ replication: {{ replicas: [ {replicas} ] }} }}");
        refused.Message.ShouldContain(message);
        refused.Message.ShouldNotContain("PLANTED");
        refused.Errors.ShouldAllBe(e => e.Line == 1);
    }

    [Fact]
    public void They_cannot_come_from_the_environment() =>
        Load.Refused("backup_config:", ("FBACKUP__REPLICATION__REPLICAS", "[]")).Message.ShouldContain("there is no setting");
}
