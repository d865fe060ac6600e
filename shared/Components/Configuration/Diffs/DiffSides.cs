using System.Runtime.CompilerServices;
using System.Text;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Catalogs;
using FunctionsBackup.Repository.Contents;
using FunctionsBackup.Repository.Runs;
using FunctionsBackup.Repository.Snapshots;

namespace FunctionsBackup.Components.Configuration.Diffs;

/// <summary>States of the configuration: a snapshot's, and that of a folder to restore to.</summary>
public static class DiffSides
{
    /// <summary>The files of a snapshot, and where its links lead.</summary>
    public static async IAsyncEnumerable<DiffItem> OfSnapshot(
        BackupRepository repository, Snapshot snapshot, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var entry in repository.ReadCatalogAsync(snapshot, cancellationToken).ConfigureAwait(false))
            if (ToItem(repository, entry) is { } item) yield return item;
    }

    /// <summary>Nothing.</summary>
    public static async IAsyncEnumerable<DiffItem> Nothing()
    {
        await Task.CompletedTask.ConfigureAwait(false);
        yield break;
    }

    /// <summary>What a folder has in the places of a snapshot's files: other files stay where they are in a restore.</summary>
    public static async IAsyncEnumerable<DiffItem> OfFolder(
        BackupRepository repository, Snapshot snapshot, string folder, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var entry in repository.ReadCatalogAsync(snapshot, cancellationToken).ConfigureAwait(false))
        {
            if (entry.Kind is not (EntryKind.File or EntryKind.SymbolicLink)) continue;
            var file = new FileInfo(Path.Combine(folder, Encoding.UTF8.GetString(entry.Path.Span)));
            if (file.LinkTarget is { } target)
                yield return new DiffItem(entry.Path.ToArray(), target.Length, null, _ => new(Encoding.UTF8.GetBytes("→ " + target)));
            else if (file.Exists)
                yield return new DiffItem(entry.Path.ToArray(), file.Length, null, async token => await File.ReadAllBytesAsync(file.FullName, token).ConfigureAwait(false));
        }
    }

    private static DiffItem? ToItem(BackupRepository repository, CatalogEntry entry) => entry.Kind switch
    {
        EntryKind.File => new DiffItem(
            entry.Path.ToArray(), entry.Content!.Size, PartLink.Fingerprint(entry.Content), token => ReadAsync(repository, entry.Content, token)),
        EntryKind.SymbolicLink => new DiffItem(
            entry.Path.ToArray(), entry.LinkTarget.Length, null, _ => new([.. "→ "u8, .. entry.LinkTarget.Span])),
        _ => null,
    };

    private static async ValueTask<byte[]> ReadAsync(BackupRepository repository, ContentRef content, CancellationToken cancellationToken)
    {
        var stream = repository.OpenContent(content);
        await using (stream.ConfigureAwait(false))
        {
            var bytes = new byte[content.Size];
            await stream.ReadExactlyAsync(bytes, cancellationToken).ConfigureAwait(false);
            return bytes;
        }
    }
}
