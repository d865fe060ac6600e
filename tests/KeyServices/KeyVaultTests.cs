using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Azure.Core;
using Azure.Core.Pipeline;
using FunctionsBackup.Repository.Crypto;
using FunctionsBackup.Repository.Keys;
using FunctionsBackup.Repository.KeyVault;
using FunctionsBackup.Tests.Servers;

namespace FunctionsBackup.Tests.KeyServices;

public sealed class KeyVaultTests : KeyServiceConformance
{
    private readonly List<HttpClient> _clients = [];
    private KeyVaultServer _server = null!;
    private string _version = "";

    public override async Task InitializeAsync()
    {
        _server = await KeyVaultServer.StartAsync();
        _version = _server.AddVersion("backup");
        _server.AddVersion("other");
    }

    public override async Task DisposeAsync()
    {
        foreach (var client in _clients) client.Dispose();
        await _server.DisposeAsync();
    }

    protected override IKeyService Open() => Open($"{_server.Vault}/keys/backup");

    protected override IKeyService OpenOther() => Open($"{_server.Vault}/keys/other");

    protected override void Disable(WrappedKey wrapped) => _server.Disable("backup", wrapped.Key.Split('/')[^1]);

    protected override void Forbid() => _server.Permissions.Clear();

    [Fact]
    public async Task The_first_request_asks_for_the_challenge_and_the_next_ones_know()
    {
        using var service = Open();
        using var plain = SecretBytes.Random(32);
        var wrapped = await service.WrapAsync(plain, Binding, default);
        wrapped.Key.ShouldBe($"{_server.Vault}/keys/backup/{_version}");
        (await service.UnwrapAsync(wrapped, Binding, default)).Dispose();
        _server.Requests.ShouldBe([$"GET /keys/backup/", $"POST /keys/backup/{_version}/wrapkey", $"POST /keys/backup/{_version}/unwrapkey"]);
        _tokens.ShouldNotBeEmpty();
        _tokens.ShouldAllBe(scope => scope == $"{_server.Vault}/.default");
    }

    [Fact]
    public async Task A_new_version_wraps_what_is_new_and_the_old_one_still_unwraps()
    {
        using var service = Open();
        using var plain = SecretBytes.Random(32);
        var old = await service.WrapAsync(plain, Binding, default);
        var version = _server.AddVersion("backup");
        (await service.WrapAsync(plain, Binding, default)).Key.ShouldEndWith("/" + version);
        (await service.UnwrapAsync(old, Binding, default)).Dispose();
        using var pinned = Open($"{_server.Vault}/keys/backup/{_version}");
        (await pinned.WrapAsync(plain, Binding, default)).Key.ShouldEndWith("/" + _version);
        pinned.Owns($"{_server.Vault}/keys/backup/{version}").ShouldBeTrue("a pinned version says what wraps, not what unwraps");
    }

    [Fact]
    public async Task Rotation_works_although_the_old_version_is_disabled()
    {
        await using var store = new Conformance.InMemoryObjectStore();
        using var service = Open();
        byte[] passphrase = [.. "correct horse"u8];
        await new RepositoryInitializer(store, TimeProvider.System).CreateAsync(
            new InitRequest { Passphrases = [new(passphrase, "p")], Services = [new(service, "vault")], Scrypt = new(16, 8, 1) }, default);
        var version = _server.AddVersion("backup");
        _server.Disable("backup", _version);
        var rotator = new KeyRotator(store, new KeyAdministration(store, TimeProvider.System) { Scrypt = new(16, 8, 1) });
        var rotation = await rotator.RotateAsync([KeyCredential.Passphrase(passphrase), KeyCredential.Service(service)], default);
        rotation.Rewrapped.Single(r => r.New.Kind == KeySlot.KeyVaultKind).New.Service!.Key.ShouldEndWith("/" + version);
        using (await KeyRingFactory.UnlockAsync(store, KeyCredential.Service(service), default)) { }
    }

    [Fact]
    public async Task A_challenge_for_somebody_else_gets_no_token()
    {
        _server.Resource = "https://management.azure.com";
        using var service = Open();
        using var plain = SecretBytes.Random(32);
        (await Should.ThrowAsync<KeyServiceException>(async () => await service.WrapAsync(plain, Binding, default)))
            .Message.ShouldContain("not its own domain");
        _tokens.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_refused_token_a_missing_key_and_a_key_of_another_kind_are_told_apart()
    {
        using var plain = SecretBytes.Random(32);
        using var missing = Open($"{_server.Vault}/keys/missing");
        (await Should.ThrowAsync<KeyServiceException>(async () => await missing.WrapAsync(plain, Binding, default))).Message.ShouldContain("404");
        _server.AddVersion("curve", isRsa: false);
        using var curve = Open($"{_server.Vault}/keys/curve");
        (await Should.ThrowAsync<KeyServiceException>(async () => await curve.WrapAsync(plain, Binding, default))).Message.ShouldContain("no RSA key");
        _server.Token = "another";
        using var service = Open();
        var error = await Should.ThrowAsync<KeyServiceException>(async () => await service.WrapAsync(plain, Binding, default));
        error.Message.ShouldContain("401");
        error.ToString().ShouldNotContain("PLANTED");
    }

    [Fact]
    public async Task Trouble_of_the_vault_is_waited_out_and_a_vault_that_is_away_is_said()
    {
        using var plain = SecretBytes.Random(32);
        using var service = Open($"{_server.Vault}/keys/backup", retries: 2);
        _server.BeInTrouble(2);
        await service.WrapAsync(plain, Binding, default);
        using var away = Open("https://localhost:1/keys/backup");
        (await Should.ThrowAsync<KeyServiceException>(async () => await away.WrapAsync(plain, Binding, default)))
            .Message.ShouldContain("does not answer");
    }

    [Theory]
    [InlineData("https://v.vault.azure.net/keys/backup", true)]
    [InlineData("https://v.vault.azure.net/keys/backup/", true)]
    [InlineData("https://v.vault.azure.net/keys/backup/0698c2156c1a4e1da5b6bab6f6422fd6", true)]
    [InlineData("http://v.vault.azure.net/keys/backup", false)]
    [InlineData("https://v.vault.azure.net/secrets/backup", false)]
    [InlineData("https://v.vault.azure.net/keys/backup/1/wrapkey", false)]
    [InlineData("https://u:p@v.vault.azure.net/keys/backup", false)]
    [InlineData("https://v.vault.azure.net/keys/backup?x=1", false)]
    [InlineData("https://v.vault.azure.net/keys/a..b", false)]
    [InlineData("keys/backup", false)]
    public void Only_addresses_of_keys_are_addresses(string text, bool valid) => KeyVaultAddress.TryParse(text, out _).ShouldBe(valid);

    private readonly List<string> _tokens = [];

    private KeyVaultKey Open(string address, int retries = 0)
    {
        KeyVaultAddress.TryParse(address, out var key).ShouldBeTrue();
        var client = new HttpClient(new SocketsHttpHandler
        {
            SslOptions = new SslClientAuthenticationOptions
            {
                RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is X509Certificate2 its && its.Equals(_server.Certificate),
            },
        });
        _clients.Add(client);
        return new KeyVaultKey(new KeyVaultOptions(key!)
        {
            Credential = new Tokens(this), Transport = new HttpClientTransport(client), Retries = retries,
        });
    }

    private sealed class Tokens(KeyVaultTests tests) : TokenCredential
    {
        public override AccessToken GetToken(TokenRequestContext requestContext, CancellationToken cancellationToken)
        {
            requestContext.TenantId.ShouldBe("72f988bf-0000-0000-0000-2d7cd011db47");
            lock (tests._tokens) tests._tokens.AddRange(requestContext.Scopes);
            return new AccessToken("token-PLANTED", TimeProvider.System.GetUtcNow().AddHours(1));
        }

        public override ValueTask<AccessToken> GetTokenAsync(TokenRequestContext requestContext, CancellationToken cancellationToken) =>
            ValueTask.FromResult(GetToken(requestContext, cancellationToken));
    }
}
