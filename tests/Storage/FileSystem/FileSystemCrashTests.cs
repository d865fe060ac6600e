using System.Diagnostics;
using FunctionsBackup.Storage.FileSystem;

namespace FunctionsBackup.Tests.Storage.FileSystem;

/// <summary>A process that creates objects is killed again and again, wherever it happens to be.</summary>
public sealed class FileSystemCrashTests : IDisposable
{
    private const int Rounds = 5;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task What_was_acknowledged_is_there_and_what_is_there_is_whole()
    {
        FileSystemObjectStore.Initialize(_folder.Path);
        var acknowledged = new List<string>();
        for (var round = 0; round < Rounds; round++) await RunAndKillAsync(round * 100_000, 5 + (round * 23), acknowledged);

        await using var store = new FileSystemObjectStore(_folder.Path);
        var found = new HashSet<string>();
        await foreach (var info in store.ListAsync("", CancellationToken.None))
        {
            var expected = Program.ContentOf(info.Name);
            info.Size.ShouldBe(expected.Length);
            var content = new byte[expected.Length];
            (await store.ReadAsync(info.Name, 0, content, CancellationToken.None)).ShouldBe(content.Length);
            content.AsSpan().SequenceEqual(expected).ShouldBeTrue();
            found.Add(info.Name);
        }

        acknowledged.Count.ShouldBeGreaterThan(200);
        acknowledged.ShouldBeSubsetOf(found);

        // Each writer had at most one object on the way.
        (found.Count - acknowledged.Count).ShouldBeInRange(0, Rounds * Program.Writers);
        var (files, _) = await store.CleanTemporaryAsync(TimeSpan.Zero, CancellationToken.None);
        files.ShouldBeInRange(0, Rounds * Program.Writers);
        Directory.EnumerateFileSystemEntries(Path.Join(_folder.Path, StoreLayout.IncompleteFolder)).ShouldBeEmpty();
    }

    /// <summary>Kills the process once it has acknowledged so many objects; counts also those it acknowledged until it was dead.</summary>
    private async Task RunAndKillAsync(int firstNumber, int count, List<string> acknowledged)
    {
        using var process = Process.Start(new ProcessStartInfo(Environment.ProcessPath!)
        {
            ArgumentList = { "exec", typeof(Program).Assembly.Location, _folder.Path, firstNumber.ToString() },
            RedirectStandardOutput = true,
        })!;
        try
        {
            for (var i = 0; await process.StandardOutput.ReadLineAsync() is { } name; i++)
            {
                acknowledged.Add(name);
                if (i == count) process.Kill();
            }
        }
        finally
        {
            process.Kill();
            await process.WaitForExitAsync();
        }
    }
}
