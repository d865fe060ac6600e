using System.Text;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Keys;
using FunctionsBackup.Tests.Conformance;

namespace FunctionsBackup.Tests.Repository.Keys;

public sealed class UnlockTests
{
    [Fact]
    public async Task A_store_without_a_config_is_no_repository()
    {
        await using var store = new InMemoryObjectStore();
        (await NoRepositoryAsync(store)).Message.ShouldContain("no object 'config'");
    }

    [Theory]
    [InlineData("", "empty (0 bytes)"), InlineData("\0\0\0\0", "not JSON"), InlineData("[1]", "not a JSON object")]
    [InlineData("{}", "magic")]
    [InlineData("{\"magic\":\"restic\"}", "magic"), InlineData("{\"magic\":\"FunctionsBackup repository\"}", "formatVersion")]
    [InlineData("{\"magic\":\"FunctionsBackup repository\",\"formatVersion\":1}", "chunker")]
    [InlineData("{\"magic\":\"FunctionsBackup repository\",\"formatVersion\":0}", "formatVersion")]
    public async Task Anything_else_under_that_name_is_no_repository(string content, string reason)
    {
        await using var store = new InMemoryObjectStore();
        store.Overwrite("config", Encoding.UTF8.GetBytes(content));
        (await NoRepositoryAsync(store)).Message.ShouldContain(reason);
        await Should.ThrowAsync<NotARepositoryException>(async () => await NewRepository.CreateAsync(store));
        store.Overwrite("config", new byte[1 << 20]);
        (await NoRepositoryAsync(store)).Message.ShouldContain("too large");
    }

    [Fact]
    public async Task A_newer_format_is_said_to_be_newer()
    {
        await using var store = new InMemoryObjectStore();
        store.Overwrite("config", "{\"magic\":\"FunctionsBackup repository\",\"formatVersion\":2,\"keys\":7}"u8);
        var error = await Should.ThrowAsync<NewerFormatException>(
            async () => await KeyRingFactory.UnlockAsync(store, NewRepository.Passphrase, default));
        error.Message.ShouldContain("version 2");
        await Should.ThrowAsync<NewerFormatException>(async () => await NewRepository.CreateAsync(store));
    }

    [Fact]
    public async Task A_wrong_key_says_which_slots_there_are()
    {
        await using var store = new InMemoryObjectStore();
        await NewRepository.CreateAsync(store);
        var wrong = KeyCredential.Passphrase("wrong"u8.ToArray());
        var error = await Should.ThrowAsync<WrongKeyException>(async () => await KeyRingFactory.UnlockAsync(store, wrong, default));
        error.Message.ShouldContain("passphrase (1)");
        error.Message.ShouldContain("recovery (1)");
        error.Message.ShouldContain("keys.passphrase");
        using var other = RecoveryKey.Create();
        await Should.ThrowAsync<WrongKeyException>(
            async () => await KeyRingFactory.UnlockAsync(store, KeyCredential.Recovery(other), default));
        error = await Should.ThrowAsync<WrongKeyException>(
            async () => await KeyRingFactory.UnlockAsync(store, KeyCredential.Clear, default));
        error.Message.ShouldContain("encrypted and no key was given");
        Should.Throw<WrongKeyException>(() => KeyCredential.Passphrase(default));
    }

    [Fact]
    public async Task Every_flipped_byte_of_config_and_keys_is_noticed_or_without_effect()
    {
        await using var store = new InMemoryObjectStore();
        await NewRepository.CreateAsync(store);
        using var good = await KeyRingFactory.UnlockAsync(store, NewRepository.Passphrase, default);
        var noticed = 0;
        foreach (var name in store.Names.Where(name => !name.EndsWith("/config", StringComparison.Ordinal)))
        {
            var bytes = store.Get(name);
            for (var i = 0; i < bytes.Length; i++)
            {
                store.Flip(name, i, 1);
                try
                {
                    using var unlocked = await KeyRingFactory.UnlockAsync(store, NewRepository.Passphrase, default);
                    unlocked.Config.ShouldBeEquivalentTo(good.Config);
                    unlocked.Keys.IdKey.SequenceEqual(good.Keys.IdKey).ShouldBeTrue();
                    using var pack = unlocked.Keys.DerivePackKey(1, new byte[32]);
                    using var expected = good.Keys.DerivePackKey(1, new byte[32]);
                    pack.Span.SequenceEqual(expected.Span).ShouldBeTrue();
                }
                catch (RepositoryException)
                {
                    noticed++;
                }

                store.Overwrite(name, bytes);
            }
        }

        noticed.ShouldBeGreaterThan(600, "in config, secrets and epochs; a spoilt slot has a copy");
    }

    [Fact]
    public async Task Changed_chunk_sizes_are_damage()
    {
        await using var store = new InMemoryObjectStore();
        await NewRepository.CreateAsync(store);
        store.Overwrite("config", Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(store.Get("config")).Replace("131072", "65536")));
        var error = await Should.ThrowAsync<DamageException>(
            async () => await KeyRingFactory.UnlockAsync(store, NewRepository.Passphrase, default));
        error.ObjectName.ShouldBe("config");
        // The copy that the message speaks of does mend it.
        store.Overwrite("config", store.Get(store.Names.Single(name => name.EndsWith("/config", StringComparison.Ordinal))));
        using var unlocked = await KeyRingFactory.UnlockAsync(store, NewRepository.Passphrase, default);
    }

    [Theory, InlineData("/secrets"), InlineData("/epochs/000001")]
    public async Task A_lost_key_record_is_named(string ending)
    {
        await using var store = new InMemoryObjectStore();
        await NewRepository.CreateAsync(store);
        var name = store.Names.Single(name => name.EndsWith(ending, StringComparison.Ordinal));
        foreach (var content in new byte[]?[] { null, [], "{}"u8.ToArray(), new byte[1 << 20] })
        {
            await store.DeleteAsync(name, default);
            if (content is not null) store.Overwrite(name, content);
            var error = await Should.ThrowAsync<DamageException>(
                async () => await KeyRingFactory.UnlockAsync(store, NewRepository.Passphrase, default));
            error.ObjectName.ShouldBe(name);
        }
    }

    [Fact]
    public async Task Keys_of_another_repository_do_not_fit()
    {
        await using var ours = new InMemoryObjectStore();
        await using var theirs = new InMemoryObjectStore();
        var (our, _) = await NewRepository.CreateAsync(ours);
        var (their, _) = await NewRepository.CreateAsync(theirs);
        foreach (var name in ours.Names.Where(name => name.StartsWith("keys/", StringComparison.Ordinal)))
            await ours.DeleteAsync(name, default);
        foreach (var name in theirs.Names.Where(name => name.StartsWith("keys/", StringComparison.Ordinal)))
            ours.Overwrite(name.Replace(their.Config.KeyGeneration, our.Config.KeyGeneration), theirs.Get(name));
        // Nothing fits, and the keys come with a config that is not ours: that is said, instead of blaming the passphrase.
        var error = await Should.ThrowAsync<DamageException>(async () => await KeyRingFactory.UnlockAsync(ours, NewRepository.Passphrase, default));
        error.ObjectName.ShouldBe("config");
    }

    private static Task<NotARepositoryException> NoRepositoryAsync(InMemoryObjectStore store) =>
        Should.ThrowAsync<NotARepositoryException>(async () => await KeyRingFactory.UnlockAsync(store, NewRepository.Passphrase, default));
}
