using System.Text;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Crypto;
using FunctionsBackup.Repository.Keys;
using FunctionsBackup.Tests.Conformance;

namespace FunctionsBackup.Tests.KeyServices;

/// <summary>What every key service must do; a new one is "implement and pass".</summary>
public abstract class KeyServiceConformance : IAsyncLifetime
{
    protected static readonly KeyBinding Binding = new("0123456789abcdef0123456789abcdef", "fedcba9876543210");

    public abstract Task InitializeAsync();

    public abstract Task DisposeAsync();

    /// <summary>A service for the same key, new each time.</summary>
    protected abstract IKeyService Open();

    /// <summary>A service for another key of the same server.</summary>
    protected abstract IKeyService OpenOther();

    /// <summary>Makes the key, or the version that wrapped, unusable.</summary>
    protected abstract void Disable(WrappedKey wrapped);

    /// <summary>Takes the identity's permissions.</summary>
    protected abstract void Forbid();

    [Fact]
    public async Task What_it_wraps_it_unwraps_and_the_key_stands_in_the_answer()
    {
        using var plain = SecretBytes.Random(32);
        using var first = Open();
        var wrapped = await first.WrapAsync(plain, Binding, default);
        first.Owns(wrapped.Key).ShouldBeTrue();
        wrapped.Bytes.Span.IndexOf(plain.Span).ShouldBe(-1);
        using var second = Open();
        using var unwrapped = await second.UnwrapAsync(wrapped, Binding, default);
        unwrapped.Span.SequenceEqual(plain.Span).ShouldBeTrue();
    }

    [Fact]
    public async Task Another_key_is_not_asked()
    {
        using var plain = SecretBytes.Random(32);
        using var first = Open();
        using var other = OpenOther();
        var wrapped = await first.WrapAsync(plain, Binding, default);
        other.Owns(wrapped.Key).ShouldBeFalse();
        await Should.ThrowAsync<ArgumentException>(async () => await other.UnwrapAsync(wrapped, Binding, default));
        other.Owns("").ShouldBeFalse();
        other.Owns("https://attacker.example/keys/backup/1").ShouldBeFalse();
        other.Owns("arn:aws:kms:eu-central-1:999999999999:key/1").ShouldBeFalse();
    }

    [Fact]
    public async Task Changed_bytes_are_refused()
    {
        using var plain = SecretBytes.Random(32);
        using var service = Open();
        var wrapped = await service.WrapAsync(plain, Binding, default);
        var bytes = wrapped.Bytes.ToArray();
        bytes[^1] ^= 1;
        await Should.ThrowAsync<KeyServiceException>(async () => await service.UnwrapAsync(wrapped with { Bytes = bytes }, Binding, default));
        await Should.ThrowAsync<KeyServiceException>(async () => await service.UnwrapAsync(wrapped with { Algorithm = "ROT13" }, Binding, default));
    }

    [Fact]
    public async Task A_disabled_key_and_a_missing_permission_are_said_with_the_mend()
    {
        using var plain = SecretBytes.Random(32);
        using var service = Open();
        var wrapped = await service.WrapAsync(plain, Binding, default);
        Disable(wrapped);
        (await Should.ThrowAsync<KeyServiceException>(async () => await service.UnwrapAsync(wrapped, Binding, default)))
            .Message.ShouldContain("disabled");
        Forbid();
        var error = await Should.ThrowAsync<KeyServiceException>(async () => await service.WrapAsync(plain, Binding, default));
        error.Message.ShouldContain("forbidden");
        error.ToString().ShouldNotContain("PLANTED");
    }

    [Fact]
    public async Task A_repository_is_made_opened_and_restored_with_it_alone()
    {
        await using var store = new InMemoryObjectStore();
        using var service = Open();
        await CreateAsync(store, service);
        using (var unlocked = await KeyRingFactory.UnlockAsync(store, KeyCredential.Service(service), default))
        {
            var sealedObjects = new Repository.Sealing.SealedObjects(store, unlocked.Keys, unlocked.Config.RepositoryId);
            await sealedObjects.CreateAsync(Repository.Sealing.SealedKind.Pin, "pins/x", "kept"u8.ToArray(), default, default);
        }

        using var again = Open();
        using (var unlocked = await KeyRingFactory.UnlockAsync(store, KeyCredential.Service(again), default))
        {
            var sealedObjects = new Repository.Sealing.SealedObjects(store, unlocked.Keys, unlocked.Config.RepositoryId);
            (await sealedObjects.ReadHeaderAsync(Repository.Sealing.SealedKind.Pin, "pins/x", default)).ShouldBe("kept"u8.ToArray());
        }

        using var other = OpenOther();
        var wrong = await Should.ThrowAsync<WrongKeyException>(async () => await KeyRingFactory.UnlockAsync(store, KeyCredential.Service(other), default));
        wrong.Message.ShouldContain(other.Key);
    }

    [Fact]
    public async Task A_slot_whose_fields_were_changed_does_not_open()
    {
        await using var store = new InMemoryObjectStore();
        using var service = Open();
        await CreateAsync(store, service);
        var administration = new KeyAdministration(store, TimeProvider.System);
        var slot = (await administration.ListSlotsAsync(default)).Usable.Single(s => s.Kind == service.SlotKind);
        foreach (var name in store.Names.Where(n => n.EndsWith(slot.Id, StringComparison.Ordinal)).ToList())
        {
            var text = Encoding.UTF8.GetString(store.Get(name));
            store.Overwrite(name, Encoding.UTF8.GetBytes(text.Replace("\"service test\"", "\"service text\"")));
        }

        (await administration.ListSlotsAsync(default)).Unusable.Single().Id.ShouldBe(slot.Id);
        await Should.ThrowAsync<RepositoryException>(async () => await KeyRingFactory.UnlockAsync(store, KeyCredential.Service(service), default));
    }

    [Fact]
    public async Task Rotation_replaces_its_slot_and_the_old_one_is_gone()
    {
        await using var store = new InMemoryObjectStore();
        using var service = Open();
        await CreateAsync(store, service);
        var administration = new KeyAdministration(store, TimeProvider.System);
        var before = (await administration.ListSlotsAsync(default)).Usable;
        var rotation = await new KeyRotator(store, administration).RotateAsync([KeyCredential.Service(service)], default);
        rotation.Epoch.ShouldBe(2u);
        var pair = rotation.Rewrapped.ShouldHaveSingleItem();
        pair.Old.Kind.ShouldBe(service.SlotKind);
        rotation.Kept.Select(s => s.Kind).ShouldBe([KeySlot.RecoveryKind]);
        var after = (await administration.ListSlotsAsync(default)).Usable;
        after.Count.ShouldBe(before.Count);
        after.ShouldNotContain(s => s.Id == pair.Old.Id);
        store.Names.ShouldNotContain(n => n.EndsWith(pair.Old.Id, StringComparison.Ordinal));
        using var unlocked = await KeyRingFactory.UnlockAsync(store, KeyCredential.Service(service), default);
        unlocked.Keys.CurrentEpoch.ShouldBe(2u);
    }

    [Fact]
    public async Task A_refused_rotation_changes_nothing()
    {
        await using var store = new InMemoryObjectStore();
        using var service = Open();
        await CreateAsync(store, service);
        var before = store.Names.Order(StringComparer.Ordinal).ToList();
        Forbid();
        await Should.ThrowAsync<KeyServiceException>(async () => await new KeyRotator(store, new KeyAdministration(store, TimeProvider.System))
            .RotateAsync([KeyCredential.Service(service)], default));
        store.Names.Order(StringComparer.Ordinal).ShouldBe(before);
    }

    protected static async Task CreateAsync(InMemoryObjectStore store, IKeyService service) =>
        await new RepositoryInitializer(store, TimeProvider.System).CreateAsync(
            new InitRequest { Services = [new(service, "service test")], AcknowledgeRecoveryKey = (_, _) => ValueTask.FromResult(true) }, default);
}
