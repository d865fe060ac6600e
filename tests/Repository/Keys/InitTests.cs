using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Keys;
using FunctionsBackup.Tests.Conformance;

namespace FunctionsBackup.Tests.Repository.Keys;

public sealed class InitTests
{
    [Fact]
    public async Task A_new_repository_opens_with_its_passphrase_and_its_recovery_key()
    {
        await using var store = new InMemoryObjectStore();
        var (result, recovery) = await NewRepository.CreateAsync(store);
        result.Created.ShouldBeTrue();
        result.RecoveryKey.ShouldBe(recovery);

        using var byPassphrase = await KeyRingFactory.UnlockAsync(store, NewRepository.Passphrase, default);
        using var key = RecoveryKey.Parse(recovery);
        using var byRecovery = await KeyRingFactory.UnlockAsync(store, KeyCredential.Recovery(key), default);
        byRecovery.Keys.IdKey.SequenceEqual(byPassphrase.Keys.IdKey).ShouldBeTrue();
        byRecovery.Keys.ChunkerSecret.SequenceEqual(byPassphrase.Keys.IdKey).ShouldBeFalse();
        byPassphrase.Config.ShouldBeEquivalentTo(result.Config);
        byPassphrase.Keys.CurrentEpoch.ShouldBe(1u);
        using var pack = byPassphrase.Keys.DerivePackKey(1, new byte[32]);
        using var same = byRecovery.Keys.DerivePackKey(1, new byte[32]);
        same.Span.SequenceEqual(pack.Span).ShouldBeTrue();
        Should.Throw<RepositoryException>(() => byPassphrase.Keys.DerivePackKey(2, new byte[32]));
    }

    [Fact]
    public async Task Init_on_a_repository_says_so_and_changes_nothing()
    {
        await using var store = new InMemoryObjectStore();
        var (first, _) = await NewRepository.CreateAsync(store);
        var before = Everything(store);
        var silent = NewRepository.Request with { AcknowledgeRecoveryKey = (_, _) => throw new InvalidOperationException("asked again") };
        var again = await new RepositoryInitializer(store, TimeProvider.System).CreateAsync(silent, default);
        again.Created.ShouldBeFalse();
        again.RecoveryKey.ShouldBeNull();
        again.Config.ShouldBeEquivalentTo(first.Config);
        Everything(store).ShouldBe(before);
    }

    [Fact]
    public async Task A_single_passphrase_without_a_recovery_key_is_refused()
    {
        await using var store = new InMemoryObjectStore();
        var initializer = new RepositoryInitializer(store, TimeProvider.System);
        var one = NewRepository.Request with { AcknowledgeRecoveryKey = null };
        await Should.ThrowAsync<RepositoryException>(async () => await initializer.CreateAsync(one, default));
        var refused = NewRepository.Request with { AcknowledgeRecoveryKey = (_, _) => ValueTask.FromResult(false) };
        await Should.ThrowAsync<RepositoryException>(async () => await initializer.CreateAsync(refused, default));
        var twice = one with { Passphrases = [one.Passphrases[0], one.Passphrases[0]] };
        await Should.ThrowAsync<RepositoryException>(async () => await initializer.CreateAsync(twice, default));
        var none = NewRepository.Request with { Passphrases = [] };
        await Should.ThrowAsync<RepositoryException>(async () => await initializer.CreateAsync(none, default));
        var empty = NewRepository.Request with { Passphrases = [new(default, "empty")] };
        await Should.ThrowAsync<RepositoryException>(async () => await initializer.CreateAsync(empty, default));
        store.Names.ShouldBeEmpty();

        var two = one with { Passphrases = [one.Passphrases[0], new("another"u8.ToArray(), "second")] };
        (await initializer.CreateAsync(two, default)).RecoveryKey.ShouldBeNull();
        using var unlocked = await KeyRingFactory.UnlockAsync(store, KeyCredential.Passphrase("another"u8.ToArray()), default);
    }

    [Fact]
    public async Task Without_encryption_the_master_key_lies_open_and_passphrases_are_refused()
    {
        await using var store = new InMemoryObjectStore();
        var initializer = new RepositoryInitializer(store, TimeProvider.System);
        var both = NewRepository.Request with { Encrypt = false };
        await Should.ThrowAsync<RepositoryException>(async () => await initializer.CreateAsync(both, default));
        await initializer.CreateAsync(new InitRequest { Encrypt = false }, default);
        using var unlocked = await KeyRingFactory.UnlockAsync(store, KeyCredential.Clear, default);
        // A passphrase never falls back on an open slot.
        var error = await Should.ThrowAsync<WrongKeyException>(
            async () => await KeyRingFactory.UnlockAsync(store, NewRepository.Passphrase, default));
        error.Message.ShouldContain("clear (1)");
    }

    [Fact]
    public async Task A_store_that_holds_something_else_is_refused()
    {
        await using var store = new InMemoryObjectStore();
        store.Overwrite("packs/0011", [1, 2, 3]);
        var error = await Should.ThrowAsync<RepositoryException>(async () => await NewRepository.CreateAsync(store));
        error.Message.ShouldContain("packs/0011");
        store.Names.Count.ShouldBe(1);
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task Init_may_die_at_any_write_and_is_run_again(bool afterEffect)
    {
        for (var crashAt = 1; ; crashAt++)
        {
            await using var inner = new InMemoryObjectStore();
            var dying = new FaultyObjectStore(inner) { CrashAt = crashAt, CrashAfterEffect = afterEffect };
            try
            {
                await NewRepository.CreateAsync(dying);
            }
            catch (SimulatedCrashException)
            {
                dying.Crashed.ShouldBeTrue();
            }

            var there = inner.Names.Contains("config");
            var (again, _) = await NewRepository.CreateAsync(inner);
            again.Created.ShouldBe(!there);
            using var unlocked = await KeyRingFactory.UnlockAsync(inner, NewRepository.Passphrase, default);
            if (!there) inner.Names.ShouldAllBe(name => name == "config" || name.StartsWith($"keys/{again.Config.KeyGeneration}/"));
            if (!dying.Crashed) break;
        }
    }

    [Fact]
    public async Task A_lost_answer_to_the_last_write_still_counts_as_created()
    {
        await using var inner = new InMemoryObjectStore();
        var store = new FaultyObjectStore(inner);
        store.Add(new Fault(StoreOperation.Create, FaultKind.FailAfter) { Where = name => name == "config" });
        var (result, recovery) = await NewRepository.CreateAsync(store);
        result.Created.ShouldBeTrue();
        using var key = RecoveryKey.Parse(recovery);
        using var unlocked = await KeyRingFactory.UnlockAsync(store, KeyCredential.Recovery(key), default);
    }

    [Fact]
    public async Task Of_two_inits_at_once_one_wins_and_its_keys_stay()
    {
        await using var store = new InMemoryObjectStore();
        InitResult? faster = null;
        var slower = NewRepository.Request with
        {
            AcknowledgeRecoveryKey = async (_, cancellationToken) =>
            {
                faster = await new RepositoryInitializer(store, TimeProvider.System).CreateAsync(NewRepository.Request, cancellationToken);
                return true;
            },
        };
        var result = await new RepositoryInitializer(store, TimeProvider.System).CreateAsync(slower, default);
        faster!.Created.ShouldBeTrue();
        result.Created.ShouldBeFalse();
        result.RecoveryKey.ShouldBeNull();
        result.Config.ShouldBeEquivalentTo(faster.Config);
        using var key = RecoveryKey.Parse(faster.RecoveryKey!);
        using var unlocked = await KeyRingFactory.UnlockAsync(store, KeyCredential.Recovery(key), default);
        store.Names.ShouldAllBe(name => name == "config" || name.StartsWith($"keys/{faster.Config.KeyGeneration}/"));
    }

    private static List<string> Everything(InMemoryObjectStore store) =>
        [.. store.Names.Select(name => $"{name} {Convert.ToHexString(store.Get(name))}")];
}
