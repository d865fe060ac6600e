using FunctionsBackup.Tests.Servers;

namespace FunctionsBackup.Tests.ObjectStores;

/// <summary>Far from the service, the number of requests is what counts.</summary>
public sealed class LatencyTests
{
    private static readonly TimeSpan Far = TimeSpan.FromMilliseconds(50);

    [Theory]
    [MemberData(nameof(TestStore.Kinds), MemberType = typeof(TestStore))]
    public async Task Four_thousand_small_files_are_restored_with_few_requests_and_backed_up_with_all_uploads_in_flight(StoreKind kind)
    {
        const int Jobs = 4;
        await using var test = await TestStore.NewAsync(kind);
        using var world = new World();
        world.AddFiles("calls", 4000, 25_000, seed: 1);
        await World.CreateAsync(test.OpenDirect());
        test.Proxy.Latency = Far;

        // Uploads of packs wait for each other: they go on when as many as there are jobs are on their way.
        int uploads = 0, most = 0;
        var full = new TaskCompletionSource();
        test.Proxy.Before = async (request, token) =>
        {
            if (!IsPack(request) || request.Method != "PUT") return;
            most = Math.Max(most, Interlocked.Increment(ref uploads));
            if (most >= Jobs) full.TrySetResult();
            await full.Task.WaitAsync(TimeSpan.FromSeconds(20), token);
            Interlocked.Decrement(ref uploads);
        };
        var snapshot = await world.BackUpAsync(test.Open(), Jobs);
        most.ShouldBeGreaterThanOrEqualTo(Jobs);

        test.Proxy.Before = null;
        test.Proxy.Forget();
        var target = await world.RestoreAsync(test.Open(), snapshot.Id, Jobs);
        World.Contents(target).ShouldBe(World.Contents(world.Source), ignoreOrder: true);
        test.Proxy.Requests.Count(r => r.Method == "GET" && IsPack(r)).ShouldBeInRange(1, 60);
        test.Proxy.Requests.Count.ShouldBeLessThan(100); // with all that opening takes
    }

    private static bool IsPack(ProxiedRequest request) => request.Target.Contains("/packs/", StringComparison.Ordinal);
}
