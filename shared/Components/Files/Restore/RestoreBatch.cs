using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Catalogs;

namespace FunctionsBackup.Components.Files.Restore;

/// <summary>Work that is fetched together: the chunks of many small files, or a part of a large one.</summary>
internal sealed class RestoreBatch
{
    private const int MaximumRequests = 32 << 10;
    private const long MaximumBytes = 512L << 20;
    private const int MaximumFiles = 16 << 10;

    // Each of these may hold a descriptor.
    private const int MaximumDirectories = 2000;
    private const int MaximumOpenFiles = 2000;

    private long _bytes;
    private int _openFiles;

    internal List<ChunkRequest> Requests { get; } = [];

    /// <summary>By <see cref="ChunkRequest.Target"/>.</summary>
    internal List<RestoreFile> Files { get; } = [];

    /// <summary>Files of which nothing comes after this batch.</summary>
    internal List<RestoreFile> Completing { get; } = [];

    internal List<PendingLink> Links { get; } = [];

    /// <summary>Directories of which everything was planned by the end of this batch, deepest first.</summary>
    internal List<RestoreDirectory> Left { get; } = [];

    internal bool IsFull => Requests.Count >= MaximumRequests || _bytes >= MaximumBytes || Files.Count >= MaximumFiles
        || Left.Count >= MaximumDirectories || _openFiles >= MaximumOpenFiles || Links.Count >= MaximumFiles;

    internal bool IsEmpty => Files.Count == 0 && Links.Count == 0 && Left.Count == 0;

    /// <summary>Takes a file in.</summary>
    /// <returns>Its number for requests.</returns>
    internal int Add(RestoreFile file, bool holdsDescriptor)
    {
        if (holdsDescriptor) _openFiles++;
        Files.Add(file);
        return Files.Count - 1;
    }

    internal void Add(ChunkRequest request)
    {
        Requests.Add(request);
        _bytes += request.Length;
    }
}

/// <summary>A further name of a file, to be linked when the batch is written.</summary>
internal sealed record PendingLink(RestoreTarget Target, RestoreDirectory Directory, byte[] Name, CatalogEntry Entry, byte[] FirstRelative);
