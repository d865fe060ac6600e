using Amazon.Runtime;
using FunctionsBackup.Repository.Crypto;
using FunctionsBackup.Repository.Keys;
using FunctionsBackup.Repository.Kms;
using FunctionsBackup.Tests.Servers;

namespace FunctionsBackup.Tests.KeyServices;

public sealed class KmsTests : KeyServiceConformance
{
    private KmsServer _server = null!;
    private string _key = "", _other = "";

    public override async Task InitializeAsync()
    {
        _server = await KmsServer.StartAsync();
        (_key, _other) = (_server.AddKey(), _server.AddKey());
    }

    public override async Task DisposeAsync() => await _server.DisposeAsync();

    protected override IKeyService Open() => Open(_key);

    protected override IKeyService OpenOther() => Open(_other);

    protected override void Disable(WrappedKey wrapped) => _server.SetEnabled(wrapped.Key, false);

    protected override void Forbid()
    {
        _server.Permissions.Clear();
        _server.SetEnabled(_key, true);
    }

    [Fact]
    public async Task The_encryption_context_binds_the_repository_and_the_slot()
    {
        using var service = Open();
        using var plain = SecretBytes.Random(32);
        var wrapped = await service.WrapAsync(plain, Binding, default);
        _server.Requests.ShouldBe([$"Encrypt {_key} fbackup:repository={Binding.RepositoryId},fbackup:slot={Binding.SlotId}"]);
        foreach (var elsewhere in new[] { Binding with { SlotId = "0000000000000000" }, Binding with { RepositoryId = new string('0', 32) } })
        {
            (await Should.ThrowAsync<KeyServiceException>(async () => await service.UnwrapAsync(wrapped, elsewhere, default)))
                .Message.ShouldContain("for another repository or slot");
        }
    }

    [Fact]
    public async Task An_alias_that_points_elsewhere_by_now_still_opens_what_it_wrapped()
    {
        var alias = _server.Point("backup", _key);
        using var service = Open(alias);
        using var plain = SecretBytes.Random(32);
        var old = await service.WrapAsync(plain, Binding, default);
        old.Key.ShouldBe(_key);
        _server.Point("backup", _other);
        (await service.UnwrapAsync(old, Binding, default)).Dispose();
        (await service.WrapAsync(plain, Binding, default)).Key.ShouldBe(_other);
    }

    [Fact]
    public async Task Wrong_credentials_and_a_wrong_region_are_refused_without_a_word_of_the_secret()
    {
        using var plain = SecretBytes.Random(32);
        foreach (var options in new[]
        {
            Options(_key) with { Credentials = new BasicAWSCredentials(KmsServer.AccessKey, "wrong-PLANTED") },
            Options(_key) with { Credentials = new BasicAWSCredentials("AKIDUNKNOWN", "wrong-PLANTED") },
            Options(_key.Replace("eu-central-1", "us-east-1")),
        })
        {
            using var service = new KmsKey(options);
            var error = await Should.ThrowAsync<KeyServiceException>(async () => await service.WrapAsync(plain, Binding, default));
            error.Message.ShouldContain("credentials");
            error.ToString().ShouldNotContain("PLANTED");
        }
    }

    [Fact]
    public async Task A_missing_key_and_a_service_that_is_away_are_told_apart()
    {
        using var plain = SecretBytes.Random(32);
        using var missing = Open($"arn:aws:kms:{_server.Region}:{KmsServer.Account}:key/missing");
        (await Should.ThrowAsync<KeyServiceException>(async () => await missing.WrapAsync(plain, Binding, default))).Message.ShouldContain("no such key");
        using var away = new KmsKey(Options(_key) with { Endpoint = new Uri("http://127.0.0.1:1/") });
        (await Should.ThrowAsync<KeyServiceException>(async () => await away.WrapAsync(plain, Binding, default))).Message.ShouldContain("does not answer");
    }

    [Fact]
    public void Replicas_of_a_key_in_other_regions_are_the_same_key_and_copies_of_its_name_elsewhere_are_not()
    {
        KmsKeyArn.TryParse("arn:aws:kms:eu-central-1:123456789012:key/mrk-1", out var key).ShouldBeTrue();
        Covers("arn:aws:kms:eu-west-1:123456789012:key/mrk-1").ShouldBeTrue();
        Covers("arn:aws:kms:eu-west-1:123456789013:key/mrk-1").ShouldBeFalse();
        Covers("arn:aws-cn:kms:eu-west-1:123456789012:key/mrk-1").ShouldBeFalse();
        Covers("arn:aws:kms:eu-central-1:123456789012:key/mrk-2").ShouldBeFalse();
        KmsKeyArn.TryParse("arn:aws:kms:eu-central-1:123456789012:key/1", out key).ShouldBeTrue();
        Covers("arn:aws:kms:eu-west-1:123456789012:key/1").ShouldBeFalse();
        foreach (var bad in new[] { "", "arn", "1234", "arn:aws:s3:eu:123456789012:key/1", "arn:aws:kms:eu:1:key/1", "arn:aws:kms:eu:123456789012:1" })
            KmsKeyArn.TryParse(bad, out _).ShouldBeFalse(bad);

        bool Covers(string other) => KmsKeyArn.TryParse(other, out var its) && key!.Covers(its);
    }

    private KmsKey Open(string arn) => new(Options(arn));

    private KmsOptions Options(string arn)
    {
        KmsKeyArn.TryParse(arn, out var key).ShouldBeTrue();
        return new KmsOptions(key!)
        {
            Endpoint = _server.Endpoint, Credentials = new BasicAWSCredentials(KmsServer.AccessKey, KmsServer.SecretKey), Retries = 0,
        };
    }
}
