using System.Security.Cryptography;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Crypto;
using FunctionsBackup.Repository.Keys;
using FunctionsBackup.Repository.Sealing;
using FunctionsBackup.Tests.Conformance;

namespace FunctionsBackup.Tests.Repository.Sealing;

public sealed class SealedObjectsTests : IDisposable
{
    private const string Repository = "0123456789abcdef0123456789abcdef";
    private const string Name = "snapshots/one";

    private readonly KeyRing _keys = Keys("data key", 1);
    private readonly InMemoryObjectStore _store = new();
    private readonly SealedObjects _sealed;

    public SealedObjectsTests() => _sealed = new SealedObjects(_store, _keys, Repository);

    public void Dispose() => _keys.Dispose();

    [Theory]
    [InlineData(0, 0), InlineData(1, 1), InlineData(100, 5000), InlineData(0, (1 << 20) - 1), InlineData(7, 1 << 20)]
    [InlineData(64 << 10, 0)]
    [InlineData(8000, (1 << 20) + 1), InlineData(8113, 100), InlineData(64 << 10, 3_500_000)]
    public async Task Header_and_body_come_back(int headerLength, int bodyLength)
    {
        foreach (var (label, body) in new[] { ("text", SampleData.Text(bodyLength)), ("noise", SampleData.Random(bodyLength)) })
        {
            var header = SampleData.Random(headerLength, 2);
            (await _sealed.CreateAsync(SealedKind.Snapshot, label, header, body, default)).ShouldBeTrue();
            (await _sealed.ReadHeaderAsync(SealedKind.Snapshot, label, default)).ShouldBe(header);
            var content = await _sealed.ReadAsync(SealedKind.Snapshot, label, default);
            content!.Header.ShouldBe(header);
            content.Body.AsSpan().SequenceEqual(body).ShouldBeTrue();
            SealedObjects.CheckIntegrity(_store.Get(label)).ShouldBeTrue();
            _store.Get(label).Length.ShouldBeLessThanOrEqualTo(SealedWriter.Bound(headerLength, bodyLength));
            if (label == "text" && bodyLength > 100_000) _store.Get(label).Length.ShouldBeLessThan(headerLength + bodyLength / 3);
        }
    }

    [Fact]
    public async Task An_existing_object_is_left_as_it_is_and_a_missing_one_is_null()
    {
        (await _sealed.ReadHeaderAsync(SealedKind.Snapshot, Name, default)).ShouldBeNull();
        (await _sealed.ReadAsync(SealedKind.Snapshot, Name, default)).ShouldBeNull();
        await _sealed.CreateAsync(SealedKind.Snapshot, Name, "first"u8.ToArray(), default, default);
        (await _sealed.CreateAsync(SealedKind.Snapshot, Name, "second"u8.ToArray(), default, default)).ShouldBeFalse();
        (await _sealed.ReadHeaderAsync(SealedKind.Snapshot, Name, default)).ShouldBe("first"u8.ToArray());
    }

    [Fact]
    public async Task A_header_is_read_with_one_request_and_nothing_is_stored_in_the_clear()
    {
        var store = new FaultyObjectStore(_store);
        var objects = new SealedObjects(store, _keys, Repository);
        await objects.CreateAsync(SealedKind.WalSegment, Name, SampleData.Text(4000), SampleData.Text(5_000_000), default);
        await objects.ReadHeaderAsync(SealedKind.WalSegment, Name, default);
        store.Requests(StoreOperation.Read).ShouldBe(1);
        store.TotalRequests.ShouldBe(2);
        _store.Get(Name).AsSpan().IndexOf("caller"u8).ShouldBe(-1);
        await objects.CreateAsync(SealedKind.WalSegment, "again", SampleData.Text(4000), SampleData.Text(5_000_000), default);
        _store.Get("again").AsSpan(12, 32).SequenceEqual(_store.Get(Name).AsSpan(12, 32)).ShouldBeFalse("salts are random");
    }

    [Theory, InlineData(0), InlineData(300)]
    public async Task Every_flipped_byte_is_noticed(int bodyLength)
    {
        var header = SampleData.Random(20);
        await _sealed.CreateAsync(SealedKind.Snapshot, Name, header, SampleData.Text(bodyLength), default);
        var good = _store.Get(Name);
        for (var i = 0; i < good.Length; i++)
        {
            foreach (var mask in new byte[] { 1, 0x80, 0xFF })
            {
                _store.Overwrite(Name, good);
                _store.Flip(Name, i, mask);
                await ShouldBeDamagedAsync(Name, SealedKind.Snapshot);
                SealedObjects.CheckIntegrity(_store.Get(Name)).ShouldBeFalse();
                await HeaderShouldBeDamagedOrAsync(header);
            }
        }
    }

    [Theory, InlineData(0), InlineData(300)]
    public async Task Every_cut_and_every_addition_is_noticed(int bodyLength)
    {
        var header = SampleData.Random(20);
        await _sealed.CreateAsync(SealedKind.Snapshot, Name, header, SampleData.Text(bodyLength), default);
        var good = _store.Get(Name);
        for (var length = 0; length < good.Length; length++)
        {
            _store.Overwrite(Name, good.AsSpan(0, length));
            await ShouldBeDamagedAsync(Name, SealedKind.Snapshot);
            SealedObjects.CheckIntegrity(_store.Get(Name)).ShouldBeFalse();
            await HeaderShouldBeDamagedOrAsync(header);
        }

        foreach (var extra in new[] { 1, 100, 300_000 })
        {
            _store.Overwrite(Name, [.. good, .. new byte[extra]]);
            await ShouldBeDamagedAsync(Name, SealedKind.Snapshot);
            SealedObjects.CheckIntegrity(_store.Get(Name)).ShouldBeFalse();
        }
    }

    [Fact]
    public async Task Large_objects_notice_flips_cuts_and_additions_too()
    {
        await _sealed.CreateAsync(SealedKind.IndexSegment, Name, SampleData.Random(20), SampleData.Random(3_000_000), default);
        var good = _store.Get(Name);
        var random = new Random(5);
        for (var round = 0; round < 40; round++)
        {
            _store.Overwrite(Name, round % 2 == 0 ? good : good.AsSpan(0, random.Next(good.Length)));
            if (round % 2 == 0) _store.Flip(Name, random.Next(good.Length));
            await ShouldBeDamagedAsync(Name, SealedKind.IndexSegment);
        }

        _store.Overwrite(Name, [.. good, 0]);
        await ShouldBeDamagedAsync(Name, SealedKind.IndexSegment);
    }

    [Fact]
    public async Task Frames_cannot_change_places_even_under_a_good_checksum()
    {
        await _sealed.CreateAsync(SealedKind.IndexSegment, Name, default, SampleData.Random(2 << 20), default);
        var swapped = _store.Get(Name);
        const int Frame = 4 + (1 << 20) + 16;
        var first = swapped.AsSpan(80, Frame).ToArray();
        swapped.AsSpan(80 + Frame, Frame).CopyTo(swapped.AsSpan(80));
        first.CopyTo(swapped.AsSpan(80 + Frame));
        Rehash(swapped);
        _store.Overwrite(Name, swapped);
        SealedObjects.CheckIntegrity(swapped).ShouldBeTrue();
        await ShouldBeDamagedAsync(Name, SealedKind.IndexSegment);
    }

    [Fact]
    public async Task An_object_is_accepted_only_as_what_it_is_where_it_is()
    {
        await _sealed.CreateAsync(SealedKind.Snapshot, "snapshots/a", "a"u8.ToArray(), "body a"u8.ToArray(), default);
        await _sealed.CreateAsync(SealedKind.Snapshot, "snapshots/b", "b"u8.ToArray(), "body b"u8.ToArray(), default);
        await ShouldBeDamagedAsync("snapshots/a", SealedKind.Pin);
        var (a, b) = (_store.Get("snapshots/a"), _store.Get("snapshots/b"));
        _store.Overwrite("snapshots/a", b);
        _store.Overwrite("snapshots/b", a);
        await ShouldBeDamagedAsync("snapshots/a", SealedKind.Snapshot);
        await ShouldBeDamagedAsync("snapshots/b", SealedKind.Snapshot);

        // Another kind written into the fixed part, with a good checksum, by somebody without the key.
        var pin = (byte[])a.Clone();
        pin[5] = (byte)SealedKind.Pin;
        Rehash(pin);
        _store.Overwrite("snapshots/a", pin);
        await ShouldBeDamagedAsync("snapshots/a", SealedKind.Pin);
        await ShouldBeDamagedAsync("snapshots/a", SealedKind.Snapshot);
    }

    [Fact]
    public async Task Another_repository_another_key_or_an_unknown_epoch_does_not_open()
    {
        await _sealed.CreateAsync(SealedKind.Snapshot, Name, "h"u8.ToArray(), "b"u8.ToArray(), default);
        using var otherKey = Keys("another", 1);
        using var otherEpoch = Keys("data key", 2);
        await ShouldBeDamagedAsync(Name, SealedKind.Snapshot, new SealedObjects(_store, _keys, Repository.Replace('0', '1')));
        await ShouldBeDamagedAsync(Name, SealedKind.Snapshot, new SealedObjects(_store, otherKey, Repository));
        var error = await ShouldBeDamagedAsync(Name, SealedKind.Snapshot, new SealedObjects(_store, otherEpoch, Repository));
        error.Message.ShouldContain("epoch 1");
    }

    [Fact]
    public async Task Hostile_lengths_are_refused_before_anything_is_fetched_or_allocated()
    {
        await _sealed.CreateAsync(SealedKind.Snapshot, Name, "h"u8.ToArray(), "b"u8.ToArray(), default);
        var good = _store.Get(Name);
        var random = new Random(11);
        // Nothing is awaited, so that all of it happens, and is counted, on this thread.
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var round = 0; round < 2000; round++)
        {
            var hostile = (byte[])good.Clone();
            random.NextBytes(hostile.AsSpan(44, random.Next(1, 21)));
            if (hostile.AsSpan().SequenceEqual(good)) continue;
            Rehash(hostile);
            _store.Overwrite(Name, hostile);
            var reading = _sealed.ReadAsync(SealedKind.Snapshot, Name, default).AsTask();
            reading.Exception.ShouldNotBeNull().InnerException.ShouldBeOfType<DamageException>();
        }

        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBeLessThan(200 << 20);
    }

    [Fact]
    public async Task Too_large_headers_are_refused() => await Should.ThrowAsync<ArgumentException>(
        async () => await _sealed.CreateAsync(SealedKind.Pin, Name, new byte[(64 << 10) + 1], default, default));

    [Fact]
    public async Task Many_at_once_do_not_disturb_each_other() => await Parallel.ForAsync(0, 64, async (i, cancellationToken) =>
    {
        var body = SampleData.Text(i * 1000, i);
        await _sealed.CreateAsync(SealedKind.Pin, $"pins/{i}", BitConverter.GetBytes(i), body, cancellationToken);
        var content = await _sealed.ReadAsync(SealedKind.Pin, $"pins/{i}", cancellationToken);
        content!.Header.ShouldBe(BitConverter.GetBytes(i));
        content.Body.ShouldBe(body);
    });

    private async Task<DamageException> ShouldBeDamagedAsync(string name, SealedKind kind, SealedObjects? objects = null)
    {
        var error = await Should.ThrowAsync<DamageException>(async () => await (objects ?? _sealed).ReadAsync(kind, name, default));
        error.ObjectName.ShouldBe(name);
        error.Message.ShouldContain(name);
        return error;
    }

    /// <summary>Damage behind the header may go unnoticed by who reads the header alone, but then the header is right.</summary>
    private async Task HeaderShouldBeDamagedOrAsync(byte[] header)
    {
        try
        {
            (await _sealed.ReadHeaderAsync(SealedKind.Snapshot, Name, default)).ShouldBe(header);
        }
        catch (DamageException error)
        {
            error.ObjectName.ShouldBe(Name);
        }
    }

    private static void Rehash(byte[] bytes) => SHA256.HashData(bytes.AsSpan(..^32), bytes.AsSpan(^32..));

    private static KeyRing Keys(string data, uint epoch)
    {
        using var secret = SecretBytes.Copy(SHA256.HashData("repository"u8));
        using var key = SecretBytes.Copy(SHA256.HashData(System.Text.Encoding.ASCII.GetBytes(data)));
        return new KeyRing(secret, new Dictionary<uint, SecretBytes> { [epoch] = key });
    }
}
