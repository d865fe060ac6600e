using System.Collections.Concurrent;
using FunctionsBackup.Components.Files.Walking;
using FunctionsBackup.Components.Posix;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Catalogs;
using FunctionsBackup.Repository.Subjects;

namespace FunctionsBackup.Components.Files.Restore;

/// <summary>What all parts of one restore share. Safe for concurrent use.</summary>
internal sealed class RestoreContext(
    BackupRepository repository, TreeRestoreOptions options, OwnerMap owners, ProgressMeter meter, SegmentWriters writers)
{
    private readonly ConcurrentDictionary<string, bool> _warnedOnce = new();
    private readonly ConcurrentDictionary<NewFile, bool> _unfinished = new();
    private readonly ConcurrentDictionary<string, bool> _failed = new();
    private readonly ConcurrentQueue<string> _damaged = new();
    private readonly string _run = Guid.NewGuid().ToString("N")[..8];
    private long _files;
    private long _bytes;
    private long _writtenBytes;
    private long _erased;
    private int _temporary;

    internal BackupRepository Repository { get; } = repository;

    internal TreeRestoreOptions Options { get; } = options;

    internal OwnerMap Owners { get; } = owners;

    internal SegmentWriters Writers { get; } = writers;

    internal ProgressMeter Meter { get; } = meter;

    internal WarningList Warnings { get; } = new();

    internal uint User { get; } = Accounts.CurrentUser;

    internal uint Group { get; } = Accounts.CurrentGroup;

    internal bool RestoresOwners { get; } = options.Ownership && Accounts.IsRoot;

    /// <summary>Whether what is in the way may be replaced.</summary>
    internal bool MayReplace { get; } = options.Overwrite || options.Delta;

    /// <summary>Whether the file system can hold files that have no name yet; found out by trying.</summary>
    internal bool HasUnnamedFiles { get; set; } = true;

    internal bool IsDelta { get; } = options.Delta && !options.Staging;

    internal bool HasDamages => !_damaged.IsEmpty;

    internal long Files => Interlocked.Read(ref _files);

    internal void WarnOnce(string topic, string sentence)
    {
        if (_warnedOnce.TryAdd(topic, true)) Warnings.Add(sentence);
    }

    internal void AddFile(long bytes, long written)
    {
        Interlocked.Increment(ref _files);
        Interlocked.Add(ref _bytes, bytes);
        Interlocked.Add(ref _writtenBytes, written);
        Meter.AddFile();
    }

    /// <summary>Files whose subject's key was destroyed.</summary>
    internal long ErasedFiles => Interlocked.Read(ref _erased);

    /// <summary>False: the file cannot be read, and was noted as erased, or as damaged where its key is simply missing.</summary>
    internal bool TryGetKey(SubjectLookup found, CatalogEntry entry, out SubjectKey? key)
    {
        key = found.Key;
        if (key is not null) return true;
        if (found.ErasedAt is null) AddDamaged(entry.Path.Span);
        else
        {
            Interlocked.Increment(ref _erased);
            AddFailed(entry.Path.Span);
        }

        return false;
    }

    internal void AddDamaged(ReadOnlySpan<byte> path)
    {
        _damaged.Enqueue(ByteName.Display(path));
        AddFailed(path);
    }

    internal void AddFailed(ReadOnlySpan<byte> path) => _failed.TryAdd(ByteName.Display(path), true);

    /// <summary>Whether the file of this catalog path is not in place.</summary>
    internal bool HasFailed(ReadOnlySpan<byte> path) => !_failed.IsEmpty && _failed.ContainsKey(ByteName.Display(path));

    /// <summary>A name that no restore before has used and that people recognise.</summary>
    internal byte[] NewTemporaryName() => ByteName.Parse($".fbackup-tmp-{_run}-{Interlocked.Increment(ref _temporary):x}");

    internal void Begin(NewFile file) => _unfinished.TryAdd(file, true);

    internal void End(NewFile file) => _unfinished.TryRemove(file, out _);

    /// <summary>Removes what is half written.</summary>
    internal void DiscardUnfinished()
    {
        foreach (var file in _unfinished.Keys)
        {
            file.Remove();
            file.Close();
        }
    }

    internal TreeRestoreReport ToReport() =>
        new(_files, _bytes, _writtenBytes, Warnings.ToList(), [.. _damaged.Order(StringComparer.Ordinal)]);

    /// <summary>Errors after which the rest of a restore cannot go well either.</summary>
    internal static bool IsFatal(PosixError error) => error is PosixError.NoSpace or PosixError.QuotaExceeded or PosixError.ReadOnly
        or PosixError.Io or PosixError.TooManyOpen or PosixError.TooManyOpenInSystem or PosixError.NoMemory or PosixError.Stale;
}
