using FunctionsBackup.Storage;
using FunctionsBackup.Tests.Conformance;

namespace FunctionsBackup.Tests.Storage;

/// <summary>Without faults it is a store like any other; with them it fails exactly as told.</summary>
public sealed class FaultyObjectStoreTests : ObjectStoreConformance
{
    private readonly InMemoryObjectStore _inner = new();

    private FaultyObjectStore Faulty => (FaultyObjectStore)Store;

    protected override ValueTask<IObjectStore> OpenAsync() => ValueTask.FromResult<IObjectStore>(new FaultyObjectStore(_inner));

    [Fact]
    public async Task A_failure_before_the_effect_leaves_nothing_and_one_after_it_leaves_the_object()
    {
        Faulty.Add(new Fault(StoreOperation.Create, FaultKind.FailBefore) { Where = n => n == "a" });
        Faulty.Add(new Fault(StoreOperation.Create, FaultKind.FailAfter) { Where = n => n == "b" });
        (await Should.ThrowAsync<StoreException>(async () => await Store.CreateAsync("a", Bytes(1), None))).IsTransient.ShouldBeTrue();
        await Should.ThrowAsync<StoreException>(async () => await Store.CreateAsync("b", Bytes(1), None));
        _inner.Names.ShouldBe(["b"]);
        (await Store.CreateAsync("a", Bytes(1), None)).ShouldBeTrue();
        (await Store.CreateAsync("b", Bytes(1), None)).ShouldBeFalse();
    }

    [Fact]
    public async Task Faults_skip_and_stop()
    {
        var fault = Faulty.Add(new Fault(StoreOperation.Find, FaultKind.FailBefore)
        {
            Skip = 2,
            Times = 2,
            Error = n => new ObjectNotFoundException(n, "test"),
        });
        var results = new List<bool>();
        for (var i = 0; i < 6; i++)
        {
            try
            {
                await Store.FindAsync("x", None);
                results.Add(true);
            }
            catch (ObjectNotFoundException)
            {
                results.Add(false);
            }
        }

        results.ShouldBe([true, true, false, false, true, true]);
        fault.Met.ShouldBe(2);
        Faulty.Requests(StoreOperation.Find).ShouldBe(6);
        Faulty.TotalRequests.ShouldBe(6);
    }

    [Fact]
    public async Task Reads_come_short_or_wrong()
    {
        await Store.CreateAsync("a", new byte[] { 1, 2, 3, 4 }, None);
        Faulty.Add(new Fault(StoreOperation.Read, FaultKind.ShortRead) { Bytes = 3 });
        Faulty.Add(new Fault(StoreOperation.Read, FaultKind.CorruptRead) { Bytes = 2, Skip = 0 });
        var buffer = new byte[4];
        (await Store.ReadAsync("a", 0, buffer, None)).ShouldBe(3);
        (await Store.ReadAsync("a", 0, buffer, None)).ShouldBe(4);
        buffer.ShouldBe([0xFE, 0xFD, 3, 4]);
        (await Store.ReadAsync("a", 0, buffer, None)).ShouldBe(4);
        buffer.ShouldBe([1, 2, 3, 4]);
    }

    [Fact]
    public async Task A_store_vanishes_and_comes_back()
    {
        await Store.CreateAsync("a", Bytes(1), None);
        Faulty.Add(new Fault(null, FaultKind.Vanish) { Skip = 1 });
        await Store.FindAsync("a", None);
        await Should.ThrowAsync<StoreUnavailableException>(async () => await Store.FindAsync("a", None));
        await Should.ThrowAsync<StoreUnavailableException>(async () => await Store.CreateAsync("b", Bytes(1), None));
        await Should.ThrowAsync<StoreUnavailableException>(async () => await ListAsync(""));
        Faulty.Heal();
        (await ListAsync("")).Select(o => o.Name).ShouldBe(["a"]);
    }

    [Fact]
    public async Task A_disk_fills_up()
    {
        Faulty.FillUpAfter(150);
        await Store.CreateAsync("a", Bytes(100), None);
        (await Store.CreateAsync("a", Bytes(50), None)).ShouldBeFalse();
        await Should.ThrowAsync<StoreFullException>(async () => await Store.CreateAsync("b", Bytes(51), None));
        (await Store.CreateAsync("c", Bytes(50), None)).ShouldBeTrue();
        await Should.ThrowAsync<StoreFullException>(async () => await Store.CreateAsync("d", Bytes(1), None));
        Faulty.BytesWritten.ShouldBe(150);
        _inner.Names.ShouldBe(["a", "c"]);
    }

    [Fact]
    public async Task Listings_may_be_stale()
    {
        await Store.CreateAsync("p/old", Bytes(1), None);
        await Faulty.FreezeListsAsync(None);
        await Store.CreateAsync("p/new", Bytes(1), None);
        await Store.DeleteAsync("p/old", None);
        (await ListAsync("p/")).Select(o => o.Name).ShouldBe(["p/old"]);
        Faulty.Heal();
        (await ListAsync("p/")).Select(o => o.Name).ShouldBe(["p/new"]);
    }

    [Fact]
    public async Task A_request_waits_until_it_may_go_on()
    {
        var gate = new TaskCompletionSource();
        Faulty.Add(new Fault(StoreOperation.Create, FaultKind.Wait) { Until = gate.Task });
        var create = Store.CreateAsync("a", Bytes(1), None).AsTask();
        create.IsCompleted.ShouldBeFalse();
        _inner.Names.ShouldBeEmpty();
        gate.SetResult();
        (await create).ShouldBeTrue();
    }

    [Theory]
    [InlineData(false, "a")]
    [InlineData(true, "a,b")]
    public async Task The_process_dies_at_a_write_and_does_nothing_afterwards(bool afterEffect, string left)
    {
        await using var store = new FaultyObjectStore(_inner) { CrashAt = 2, CrashAfterEffect = afterEffect };
        await store.CreateAsync("a", Bytes(1), None);
        await store.FindAsync("a", None);
        await Should.ThrowAsync<SimulatedCrashException>(async () => await store.CreateAsync("b", Bytes(1), None));
        await Should.ThrowAsync<SimulatedCrashException>(async () => await store.CreateAsync("c", Bytes(1), None));
        await Should.ThrowAsync<SimulatedCrashException>(async () => await store.FindAsync("a", None));
        store.Crashed.ShouldBeTrue();
        string.Join(',', _inner.Names).ShouldBe(left);
    }
}
