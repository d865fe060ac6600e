using System.Globalization;
using System.Threading.Channels;
using FunctionsBackup.Components.PostgreSql.Protocol;
using FunctionsBackup.Repository.Catalogs;

namespace FunctionsBackup.Components.PostgreSql.Backup;

/// <summary>
/// Takes the server's stream apart and hands each file to a worker. The stream is one after the other, so the next file is read while the
/// files before are still being stored.
/// </summary>
internal sealed class StreamPump(
    BaseBackupStream stream, StreamStorer storer, CatalogAssembly catalog, ProgressMeter meter, int parallelism)
{
    private const int MaximumManifest = 1 << 30;
    private const int MaximumLabel = 1 << 20;
    private const uint OwnerOnly = 0x1C0; // 0700
    private const uint OwnerAndGroup = 0x1E8; // 0750
    private const uint GroupRead = 0x20; // 0040

    private readonly HashSet<string> _seen = new(StringComparer.Ordinal);
    private readonly HashSet<string> _roots = new(StringComparer.Ordinal);
    private TarEntry? _example;

    /// <summary>The backup label, which comes as a file of the data directory.</summary>
    public byte[]? Label { get; private set; }

    public byte[]? Manifest { get; private set; }

    /// <summary>A file such as the server makes: its mode, owner, group and time.</summary>
    public TarEntry Example => _example ?? throw new InvalidOperationException("The stream was not read.");

    /// <summary>Called before each file; throws to end the backup.</summary>
    public Action? EachFile { get; init; }

    public async ValueTask RunAsync(CancellationToken cancellationToken)
    {
        using var failure = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var places = new SemaphoreSlim(parallelism);
        var running = new List<Task>();
        try
        {
            while (await stream.NextArchiveAsync(failure.Token) is { } archive)
            {
                if (archive.Kind == BaseBackupArchiveKind.Manifest)
                {
                    Manifest = await stream.ReadAllAsync(MaximumManifest, failure.Token);
                    continue;
                }

                var prefix = archive.Kind == BaseBackupArchiveKind.DataDirectory
                    ? DataDirectoryScan.Root
                    : string.Create(CultureInfo.InvariantCulture, $"{DataDirectoryScan.TablespaceRoot}/{archive.Tablespace}");
                await ReadArchiveAsync(prefix, places, running, failure);
            }

            await Task.WhenAll(running);
            // The archives do not tell of their own roots: these are made as the server makes them, for the group too if its files are.
            var example = _example ?? throw new PostgresBackupException("The server sent a base backup without a backup label.");
            foreach (var root in _roots) Add(root, Directory(root, (example.Mode & GroupRead) != 0 ? OwnerAndGroup : OwnerOnly, example));
        }
        catch (Exception exception)
        {
            await failure.CancelAsync();
            // The first failure of a worker is the reason; what the others say follows from the end of the stream.
            var failed = running.FirstOrDefault(task => task.IsFaulted);
            await Task.WhenAll(running).ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            // A worker that is cancelled closes the file that this reader is writing to: that too is only a consequence.
            if (exception is OperationCanceledException or ChannelClosedException)
            {
                cancellationToken.ThrowIfCancellationRequested();
                failed ??= running.FirstOrDefault(task => task.IsFaulted);
                if (failed is not null) await failed;
            }

            throw;
        }
    }

    private async ValueTask ReadArchiveAsync(string prefix, SemaphoreSlim places, List<Task> running, CancellationTokenSource failure)
    {
        var tar = new TarReader(stream.ReadAsync);
        _roots.Add(prefix);
        if (prefix != DataDirectoryScan.Root) _roots.Add(DataDirectoryScan.TablespaceRoot);
        while (await tar.NextAsync(failure.Token) is { } entry)
        {
            EachFile?.Invoke();
            var path = $"{prefix}/{entry.Path}";
            if (entry.Kind == TarEntryKind.SymbolicLink) continue; // tablespaces' links are made at restore
            if (entry.Kind == TarEntryKind.Directory)
            {
                Add(path, Directory(path, entry.Mode, entry));
                continue;
            }

            if (path == $"{DataDirectoryScan.Root}/{BackupLabel.FileName}")
            {
                _example = entry;
                Label = await ReadSmallAsync(tar, failure.Token);
                continue;
            }

            // Sent empty where there are no tablespaces.
            if (path == $"{DataDirectoryScan.Root}/tablespace_map" && entry.Size == 0) continue;
            await places.WaitAsync(failure.Token);
            running.RemoveAll(static task => task.IsCompletedSuccessfully);
            await ReadFileAsync(tar, path, entry, places, running, failure);
        }
    }

    private async ValueTask ReadFileAsync(
        TarReader tar, string path, TarEntry entry, SemaphoreSlim places, List<Task> running, CancellationTokenSource failure)
    {
        var whole = StreamStorer.WholePath(path);
        var file = new StreamedFile(whole is null ? storer.InspectorFor(path) : null);
        running.Add(StoreAsync(file, whole ?? path, whole is not null, entry, places, failure));
        try
        {
            for (var bytes = await tar.ReadAsync(failure.Token); !bytes.IsEmpty; bytes = await tar.ReadAsync(failure.Token))
                await file.WriteAsync(bytes, failure.Token);
            await file.CompleteAsync(failure.Token);
        }
        catch (Exception exception)
        {
            file.Abort(exception);
            throw;
        }
    }

    private async Task StoreAsync(
        StreamedFile file, string path, bool isIncremental, TarEntry entry, SemaphoreSlim places, CancellationTokenSource failure)
    {
        await Task.Yield();
        try
        {
            using (file)
            {
                var content = isIncremental
                    ? await storer.RebuildAsync(path, file, failure.Token)
                    : await storer.StoreAsync(path, file, failure.Token);
                Add(path, new CatalogEntry
                {
                    Path = CatalogAssembly.Path(path),
                    Kind = EntryKind.File,
                    Mode = entry.Mode,
                    UserId = entry.UserId,
                    GroupId = entry.GroupId,
                    ModifiedNanoseconds = Nanoseconds(entry),
                    Content = content,
                });
                meter.Done(path, entry.Size);
            }
        }
        catch
        {
            await failure.CancelAsync();
            throw;
        }
        finally
        {
            places.Release();
        }
    }

    private static CatalogEntry Directory(string path, uint mode, TarEntry entry) => new()
    {
        Path = CatalogAssembly.Path(path),
        Kind = EntryKind.Directory,
        Mode = mode,
        UserId = entry.UserId,
        GroupId = entry.GroupId,
        ModifiedNanoseconds = Nanoseconds(entry),
    };

    // The same name twice would leave it to chance which of the two is restored.
    private void Add(string path, CatalogEntry entry)
    {
        lock (_seen)
        {
            if (!_seen.Add(path)) throw new TarFormatException($"The archive holds {path} twice.");
        }

        catalog.Add(entry);
    }

    private static long Nanoseconds(TarEntry entry) => Math.Min(entry.ModifiedSeconds, long.MaxValue / 1_000_000_000) * 1_000_000_000;

    private static async ValueTask<byte[]> ReadSmallAsync(TarReader tar, CancellationToken cancellationToken)
    {
        using var bytes = new MemoryStream();
        for (var piece = await tar.ReadAsync(cancellationToken); !piece.IsEmpty; piece = await tar.ReadAsync(cancellationToken))
        {
            if (bytes.Length + piece.Length > MaximumLabel) throw new TarFormatException("The archive has a backup label that is too long.");
            bytes.Write(piece.Span);
        }

        return bytes.ToArray();
    }
}
