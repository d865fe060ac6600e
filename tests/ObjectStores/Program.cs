using System.Globalization;
using FunctionsBackup.Storage;
using FunctionsBackup.Storage.AzureBlob;
using FunctionsBackup.Storage.S3;
using FunctionsBackup.Tests.Servers;

namespace FunctionsBackup.Tests.ObjectStores;

/// <summary>The process that pull-the-plug tests kill: takes one recovery point, then prints its id.</summary>
internal static class Program
{
    public static async Task<int> Main(string[] arguments)
    {
        var port = int.Parse(arguments[1], CultureInfo.InvariantCulture);
        IObjectStore store = Enum.Parse<StoreKind>(arguments[0]) == StoreKind.S3
            ? new S3ObjectStore(new S3StoreOptions(arguments[2])
            {
                Endpoint = RgwServer.EndpointAt(port), Credentials = new S3Credentials(RgwServer.AccessKey, RgwServer.SecretKey, null),
            })
            : new AzureBlobObjectStore(new AzureBlobStoreOptions(arguments[2]) { ConnectionString = AzuriteServer.ConnectionStringAt(port) });
        var snapshot = await World.BackUpAsync(store, arguments[3], 4, CancellationToken.None);
        Console.Out.WriteLine(snapshot.Id);
        return 0;
    }
}
