using System.Buffers;
using System.Text;
using FunctionsBackup.Repository.Contents;

namespace FunctionsBackup.Repository.Catalogs;

/// <summary>
/// Streams the entries of a snapshot into the repository: memory does not grow with their number. Entries are gathered into leaves, which
/// end where the name of an entry says so, so that an unchanged stretch gives the same leaves as last time. Not for concurrent use.
/// </summary>
public sealed class CatalogWriter
{
    private const int MinimumLeaf = 16 << 10;
    private const int MaximumLeaf = 512 << 10;
    private const uint CutMask = 0xFF;

    private readonly ContentBuilder _leaves;
    private readonly ArrayBufferWriter<byte> _leaf = new(64 << 10);
    private byte[] _previous = [];
    private int _previousLength;
    private bool _first = true;

    internal CatalogWriter(ContentBuilder leaves) => _leaves = leaves;

    public long Entries { get; private set; }

    public long Files { get; private set; }

    /// <summary>Bytes of all files as a restore would write them.</summary>
    public long LogicalBytes { get; private set; }

    /// <exception cref="ArgumentException">The entry does not come after the one before in <see cref="CatalogOrder"/>, or has no legal path.</exception>
    /// <exception cref="RepositoryException">The entry is larger than a reader takes (<see cref="CatalogLimits"/>).</exception>
    public async ValueTask AddAsync(CatalogEntry entry, CancellationToken cancellationToken)
    {
        var path = entry.Path;
        if (!CatalogPath.IsValid(path.Span)) throw new ArgumentException("A catalog path is relative and has no empty, . or .. component.", nameof(entry));
        if (!_first && CatalogOrder.Compare(_previous.AsSpan(0, _previousLength), path.Span) >= 0)
            throw new ArgumentException("Entries must come in catalog order, each once.", nameof(entry));
        if ((entry.Kind == EntryKind.File) != (entry.Content is not null))
            throw new ArgumentException("A file has a content, other entries have none.", nameof(entry));

        if (CatalogLimits.Problem(entry) is { } problem)
            throw new RepositoryException($"{Encoding.UTF8.GetString(path.Span)} cannot be stored, because {problem}; leave it out.");

        CatalogCodec.Write(_leaf, entry, _leaf.WrittenCount == 0 ? default : _previous.AsSpan(0, _previousLength));
        if (_previous.Length < path.Length) _previous = new byte[Math.Max(path.Length, 256)];
        path.CopyTo(_previous);
        _previousLength = path.Length;
        _first = false;
        Entries++;
        if (entry.Kind == EntryKind.File)
        {
            Files++;
            LogicalBytes += entry.HardLinkTo.IsEmpty ? entry.Content!.Size : 0;
        }

        if (_leaf.WrittenCount >= MaximumLeaf || (_leaf.WrittenCount >= MinimumLeaf && (Hash(path.Span) & CutMask) == 0))
            await CloseLeafAsync(cancellationToken).ConfigureAwait(false);
    }

    internal async ValueTask<ContentRef> CompleteAsync(CancellationToken cancellationToken)
    {
        if (_leaf.WrittenCount > 0) await CloseLeafAsync(cancellationToken).ConfigureAwait(false);
        return await _leaves.CompleteAsync(cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask CloseLeafAsync(CancellationToken cancellationToken)
    {
        await _leaves.AddChunkAsync(_leaf.WrittenMemory, cancellationToken).ConfigureAwait(false);
        _leaf.ResetWrittenCount();
    }

    /// <summary>FNV-1a: only decides where leaves end, and only from names, which nobody outside sees.</summary>
    private static uint Hash(ReadOnlySpan<byte> path)
    {
        var hash = 2166136261u;
        foreach (var b in path) hash = (hash ^ b) * 16777619u;
        return hash ^ (hash >> 15);
    }
}
