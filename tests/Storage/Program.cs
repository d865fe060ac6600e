using System.Globalization;
using FunctionsBackup.Storage.FileSystem;

namespace FunctionsBackup.Tests.Storage;

/// <summary>
/// The process that crash tests kill: creates objects in a folder with several writers, for ever, and prints the name of each when the
/// store says that it is durable.
/// </summary>
internal static class Program
{
    public const int Writers = 4;

    public static async Task Main(string[] arguments)
    {
        await using var store = new FileSystemObjectStore(arguments[0]);
        var number = int.Parse(arguments[1], CultureInfo.InvariantCulture);
        await Parallel.ForEachAsync(Enumerable.Range(0, Writers), new ParallelOptions { MaxDegreeOfParallelism = Writers }, async (_, token) =>
        {
            while (true)
            {
                var name = NameOf(Interlocked.Increment(ref number));
                await store.CreateAsync(name, ContentOf(name), token);
                Console.Out.WriteLine(name);
            }
        });
    }

    public static string NameOf(int number) => $"crash/{number % 3}/{number}";

    /// <summary>Bytes that only this name has: small ones, and some beyond the size that is written past the page cache.</summary>
    public static byte[] ContentOf(string name)
    {
        var number = int.Parse(name[(name.LastIndexOf('/') + 1)..], CultureInfo.InvariantCulture);
        var random = new Random(number);
        var content = new byte[number % 4 == 0 ? random.Next(1 << 20, 3 << 20) : random.Next(20_000)];
        random.NextBytes(content);
        return content;
    }
}
