using System.Diagnostics;
using Azure.Storage.Blobs;
using FunctionsBackup.Storage;
using FunctionsBackup.Storage.AzureBlob;
using FunctionsBackup.Storage.S3;
using FunctionsBackup.Tests.Servers;

namespace FunctionsBackup.Tests.ObjectStores;

/// <summary>
/// The process that writes, or the server that it writes to, dies while packs are on their way: nothing half-written can be seen, what was
/// committed restores, and the next backup succeeds.
/// </summary>
public sealed class PullThePlugTests
{
    private const int Files = 400, Size = 100_000;

    public static TheoryData<StoreKind, int> Moments => new() { { StoreKind.S3, 2 }, { StoreKind.AzureBlob, 1 } };

    [Theory]
    [MemberData(nameof(Moments))]
    public async Task The_writer_dies(StoreKind kind, int pack)
    {
        var name = Stores.NewName();
        await using var server = await PluggedServer.StartAsync(kind, name, shared: true);
        using var world = new World();
        var (first, expected) = await CommitFirstAsync(server, world);

        // Dies when so many uploads of packs have begun, with some of them at the server and some on their way.
        var begun = 0;
        var reached = new TaskCompletionSource();
        server.Proxy.Before = async (request, token) =>
        {
            if (!PluggedServer.IsUpload(request) || Interlocked.Increment(ref begun) < pack) return;
            reached.TrySetResult();
            await Task.Delay(Timeout.Infinite, token); // until the connection ends with the process
        };
        using var writer = Process.Start(new ProcessStartInfo(Environment.ProcessPath!)
        {
            ArgumentList =
            {
                "exec", typeof(PullThePlugTests).Assembly.Location, $"{kind}", $"{server.Proxy.Port}", name, world.Source,
            },
            RedirectStandardOutput = true,
        })!;
        try
        {
            await Task.WhenAny(reached.Task, writer.WaitForExitAsync());
            reached.Task.IsCompleted.ShouldBeTrue("the writer ended before it wrote");
        }
        finally
        {
            writer.Kill();
            await writer.WaitForExitAsync();
        }

        server.Proxy.Before = null;
        await ShouldBeWholeAsync(server, world, first, expected);
    }

    [Theory]
    [InlineData(StoreKind.S3)]
    [InlineData(StoreKind.AzureBlob)]
    public async Task The_server_dies_and_stays_away_longer_than_the_writer_tries(StoreKind kind)
    {
        await using var server = await PluggedServer.StartAsync(kind, Stores.NewName(), shared: false);
        using var world = new World();
        var (first, expected) = await CommitFirstAsync(server, world);
        await server.SettleAsync();
        var begun = 0;
        server.Proxy.Before = async (request, _) =>
        {
            if (PluggedServer.IsUpload(request) && Interlocked.Increment(ref begun) == 2) await server.KillAsync();
        };
        await Should.ThrowAsync<StoreUnavailableException>(async () => await world.BackUpAsync(server.Open()));
        server.Proxy.Before = null;
        await server.StartAgainAsync();
        await ShouldBeWholeAsync(server, world, first, expected);
    }

    [Theory]
    [InlineData(StoreKind.S3)]
    [InlineData(StoreKind.AzureBlob)]
    public async Task The_server_dies_and_comes_back_while_the_writer_tries(StoreKind kind)
    {
        await using var server = await PluggedServer.StartAsync(kind, Stores.NewName(), shared: false);
        using var world = new World();
        var (first, expected) = await CommitFirstAsync(server, world);
        await server.SettleAsync();
        var begun = 0;
        server.Proxy.Before = async (request, _) =>
        {
            if (!PluggedServer.IsUpload(request) || Interlocked.Increment(ref begun) != 1) return;
            await server.KillAsync();
            await server.StartAgainAsync();
        };
        var second = await world.BackUpAsync(server.Open(patient: true));
        World.Contents(await world.RestoreAsync(server.Open(), second.Id)).ShouldBe(World.Contents(world.Source), ignoreOrder: true);
        World.Contents(await world.RestoreAsync(server.Open(), first)).ShouldBe(expected, ignoreOrder: true);
    }

    private static async Task<(string Id, Dictionary<string, string> Contents)> CommitFirstAsync(PluggedServer server, World world)
    {
        world.AddFiles("first", 50, 10_000, seed: 1);
        await World.CreateAsync(server.Open());
        var first = await world.BackUpAsync(server.Open());
        var expected = World.Contents(world.Source);
        world.AddFiles("second", Files, Size, seed: 2);
        return (first.Id, expected);
    }

    private static async Task ShouldBeWholeAsync(PluggedServer server, World world, string first, Dictionary<string, string> expected)
    {
        (await World.SnapshotsAsync(server.Open())).ShouldBe([first]);
        await using (var store = server.Open()) await World.CheckPacksAsync(store);
        World.Contents(await world.RestoreAsync(server.Open(), first)).ShouldBe(expected, ignoreOrder: true);
        var second = await world.BackUpAsync(server.Open());
        World.Contents(await world.RestoreAsync(server.Open(), second.Id)).ShouldBe(World.Contents(world.Source), ignoreOrder: true);
        await using (var store = server.Open()) (await World.CheckPacksAsync(store)).ShouldBeGreaterThan(1);
    }

    /// <summary>A server behind a proxy that can lose its plug.</summary>
    private sealed class PluggedServer : IAsyncDisposable
    {
        private readonly StoreKind _kind;
        private readonly string _name;
        private RgwServer? _gateway;
        private AzuriteServer? _emulator;
        private bool _shared;

        private PluggedServer(StoreKind kind, string name) => (_kind, _name) = (kind, name);

        public FaultProxy Proxy { get; private set; } = null!;

        public static async Task<PluggedServer> StartAsync(StoreKind kind, string name, bool shared)
        {
            var server = new PluggedServer(kind, name) { _shared = shared };
            if (kind == StoreKind.S3)
            {
                server._gateway = shared ? await TestServers.RgwAsync() : await RgwServer.StartAsync();
                using var client = Stores.S3Client(server._gateway.Endpoint);
                await client.PutBucketAsync(name);
            }
            else
            {
                server._emulator = shared ? await TestServers.AzuriteAsync() : await AzuriteServer.StartAsync();
                await new BlobContainerClient(server._emulator.ConnectionString, name).CreateAsync();
            }

            server.Proxy = await FaultProxy.StartAsync(server._gateway?.Port ?? server._emulator!.Port);
            return server;
        }

        public static bool IsUpload(ProxiedRequest request) =>
            request.Method == "PUT" && request.Target.Contains("/packs/", StringComparison.Ordinal);

        public IObjectStore Open(bool patient = false)
        {
            var limits = Stores.Limits with
            {
                Attempts = patient ? 30 : 4, LongestDelay = patient ? TimeSpan.FromMilliseconds(500) : TimeSpan.FromMilliseconds(20),
                RequestTimeout = TimeSpan.FromMinutes(2),
            };
            return _kind == StoreKind.S3
                ? new S3ObjectStore(new S3StoreOptions(_name)
                {
                    Endpoint = RgwServer.EndpointAt(Proxy.Port),
                    Credentials = new S3Credentials(RgwServer.AccessKey, RgwServer.SecretKey, null),
                    Limits = limits,
                })
                : new AzureBlobObjectStore(new AzureBlobStoreOptions(_name)
                {
                    ConnectionString = AzuriteServer.ConnectionStringAt(Proxy.Port), Limits = limits,
                });
        }

        /// <summary>Azurite holds acknowledged metadata in memory for some seconds, as the service never would.</summary>
        public async Task SettleAsync()
        {
            if (_emulator is null) return;
            await _emulator.StopAsync();
            await _emulator.StartAgainAsync();
        }

        public Task KillAsync() => _gateway?.KillGatewayAsync() ?? _emulator!.KillAsync();

        public Task StartAgainAsync() => _gateway?.StartGatewayAsync() ?? _emulator!.StartAgainAsync();

        public async ValueTask DisposeAsync()
        {
            await Proxy.DisposeAsync();
            if (_shared) return;
            if (_gateway is not null) await _gateway.DisposeAsync();
            if (_emulator is not null) await _emulator.DisposeAsync();
        }
    }
}
