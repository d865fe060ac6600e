using System.Text;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Catalogs;
using FunctionsBackup.Repository.Contents;
using FunctionsBackup.Repository.Snapshots;

namespace FunctionsBackup.Tests.Repository.Sessions;

/// <summary>Backs up and restores small trees that exist only in memory.</summary>
internal static class SessionTestExtensions
{
    public static SessionOptions Options { get; } = new("test", 2);

    public static SnapshotDraft Draft(DateTimeOffset? at = null) => new("full", null, at ?? TimeProvider.System.GetUtcNow(), [], null);

    public static async Task<Snapshot> BackUpAsync(
        this BackupRepository repository, IReadOnlyDictionary<string, byte[]> files, Snapshot? parent = null, DateTimeOffset? at = null)
    {
        await using var session = repository.BeginSession(Options);
        await session.AddFilesAsync(repository, files, parent);
        return await session.CommitAsync(Draft(at), CancellationToken.None);
    }

    public static async Task AddFilesAsync(
        this BackupSession session, BackupRepository repository, IReadOnlyDictionary<string, byte[]> files, Snapshot? parent = null)
    {
        var parents = parent is null
            ? []
            : await repository.ReadCatalogAsync(parent, CancellationToken.None).ToDictionaryAsync(e => Encoding.UTF8.GetString(e.Path.Span));
        foreach (var (name, bytes) in files.OrderBy(f => f.Key, StringComparer.Ordinal))
        {
            var options = new ContentOptions(Parent: parents.GetValueOrDefault(name)?.Content);
            var content = await session.StoreAsync(new BytesSource(bytes), options, CancellationToken.None);
            await session.Catalog.AddAsync(
                new CatalogEntry { Path = Encoding.UTF8.GetBytes(name), Kind = EntryKind.File, Content = content, Mode = 0x1A4 }, CancellationToken.None);
        }
    }

    public static async Task<Dictionary<string, byte[]>> RestoreAsync(this BackupRepository repository, Snapshot snapshot)
    {
        var files = new Dictionary<string, byte[]>();
        await foreach (var entry in repository.ReadCatalogAsync(snapshot, CancellationToken.None))
            files.Add(Encoding.UTF8.GetString(entry.Path.Span), await repository.ReadAllAsync(entry.Content!));
        return files;
    }

    public static async Task<byte[]> ReadAllAsync(this BackupRepository repository, ContentRef content)
    {
        await using var stream = repository.OpenContent(content);
        using var memory = new MemoryStream();
        await stream.CopyToAsync(memory);
        return memory.ToArray();
    }

    public static void ShouldHold(this Dictionary<string, byte[]> actual, IReadOnlyDictionary<string, byte[]> expected)
    {
        actual.Keys.Order().ShouldBe(expected.Keys.Order());
        foreach (var (name, bytes) in expected) actual[name].AsSpan().SequenceEqual(bytes).ShouldBeTrue(name);
    }
}

/// <summary>Bytes as a source that reads short, as files do.</summary>
internal sealed class BytesSource(byte[] bytes, int readSize = 300_000) : IContentSource
{
    private int _at;

    public ValueTask<ContentRun> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        var count = Math.Min(Math.Min(readSize, buffer.Length), bytes.Length - _at);
        bytes.AsMemory(_at, count).CopyTo(buffer);
        _at += count;
        return ValueTask.FromResult(new ContentRun(count));
    }
}
