using System.Buffers;
using FunctionsBackup.Repository.Catalogs;
using FunctionsBackup.Repository.Contents;

namespace FunctionsBackup.Repository.Runs;

/// <summary>
/// Joins hard links whose names lie in several pieces of a catalog: every name but the first, over all pieces, refers to the first. Only
/// where both held the same bytes: an inode number may have gone to another file while the units ran.
/// </summary>
internal sealed class LinkMerger
{
    private readonly Dictionary<(ulong Device, ulong Inode), PartLink> _first = [];
    private readonly HashSet<string> _changed = [];

    /// <param name="parts">In catalog order.</param>
    public LinkMerger(IReadOnlyList<RunPart> parts)
    {
        foreach (var part in parts)
            foreach (var link in part.Links)
                if (!_first.TryAdd((link.Device, link.Inode), link) && _first[(link.Device, link.Inode)].Content == link.Content)
                    _changed.Add(part.Unit);
    }

    /// <summary>Bytes of files that became further names.</summary>
    public long LinkedBytes { get; private set; }

    /// <summary>Whether a piece has names to be joined with earlier ones.</summary>
    public bool Changes(RunPart part) => _changed.Contains(part.Unit);

    /// <summary>The leaf with its further names joined, or null if it has none.</summary>
    public byte[]? Rewrite(string runId, byte[] leaf)
    {
        var entries = CatalogReader.Decode(runId, leaf);
        var changed = false;
        for (var i = 0; i < entries.Count; i++)
        {
            var entry = entries[i];
            if (entry.Kind != EntryKind.File || !_first.TryGetValue((entry.Device, entry.Inode), out var first)) continue;
            if (CatalogOrder.Compare(first.Path, entry.Path.Span) >= 0 || entry.HardLinkTo.Span.SequenceEqual(first.Path)) continue;
            if (PartLink.Fingerprint(entry.Content!) != first.Content) continue;
            if (entry.HardLinkTo.IsEmpty) LinkedBytes += entry.Content!.Size;
            entries[i] = entry with { HardLinkTo = first.Path };
            changed = true;
        }

        if (!changed) return null;
        var written = new ArrayBufferWriter<byte>(leaf.Length + 256);
        for (var i = 0; i < entries.Count; i++) CatalogCodec.Write(written, entries[i], i == 0 ? default : entries[i - 1].Path.Span);
        // A leaf is cut at 512 KiB; the paths added here cannot take it over 2 MiB unless they are absurd: then it stays as it was.
        return written.WrittenCount <= ContentLimits.MaximumChunkSize ? written.WrittenSpan.ToArray() : null;
    }
}
