using System.Text;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Catalogs;
using FunctionsBackup.Repository.Verification;

namespace FunctionsBackup.Tests.Crash.Harness;

/// <summary>What is seen in a repository.</summary>
internal static class Observed
{
    public static async Task<List<string>> IdsAsync(BackupRepository repository)
    {
        var ids = new List<string>();
        await foreach (var snapshot in repository.ListSnapshotsAsync(null, CancellationToken.None)) ids.Add(snapshot.Id);
        return ids;
    }

    /// <summary>The recovery point has exactly the files of the tree, each byte for byte.</summary>
    public static async Task ShouldHoldAsync(BackupRepository repository, string id, SourceTree tree)
    {
        var found = await ReadAsync(repository, id);
        found.Keys.ShouldBe(tree.Files.Keys, $"the files of {id}");
        foreach (var (path, content) in tree.Files)
            content.AsSpan().SequenceEqual(found[path]).ShouldBeTrue($"{path} of {id} came back with other bytes");
    }

    /// <summary>All files of a recovery point by their path below the root of the tree.</summary>
    public static async Task<SortedDictionary<string, byte[]>> ReadAsync(BackupRepository repository, string id)
    {
        var files = new SortedDictionary<string, byte[]>(StringComparer.Ordinal);
        var snapshot = await repository.GetSnapshotAsync(id, null, CancellationToken.None);
        await foreach (var entry in repository.ReadCatalogAsync(snapshot, CancellationToken.None))
        {
            if (entry.Kind != EntryKind.File) continue;
            await using var content = repository.OpenContent(entry.Content!);
            using var bytes = new MemoryStream();
            await content.CopyToAsync(bytes);
            var path = Encoding.UTF8.GetString(entry.Path.Span);
            files.Add(path[(path.IndexOf('/') + 1)..], bytes.ToArray());
        }

        return files;
    }

    public static async Task ShouldBeSoundAsync(BackupRepository repository)
    {
        var report = await new RepositoryVerifier(repository).RunAsync(new VerificationOptions(VerificationLevel.Full), null, CancellationToken.None);
        report.Defects.ShouldBeEmpty();
    }
}
