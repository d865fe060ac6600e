using FunctionsBackup.Tests.Servers;

namespace FunctionsBackup.Tests.ObjectStores;

/// <summary>
/// The servers of this assembly, each started once when it is first asked for. They end with the process, however it ends.
/// </summary>
internal static class TestServers
{
    private static readonly Lazy<Task<RgwServer>> Gateway = new(() => RgwServer.StartAsync());
    private static readonly Lazy<Task<AzuriteServer>> Emulator = new(() => AzuriteServer.StartAsync());

    public static Task<RgwServer> RgwAsync() => Gateway.Value;

    public static Task<AzuriteServer> AzuriteAsync() => Emulator.Value;
}
