using System.Globalization;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text.Json;
using FunctionsBackup.Components.PostgreSql.Wal.Reading;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Sealing;
using FunctionsBackup.Repository.Writers;
using FunctionsBackup.Storage;

namespace FunctionsBackup.Components.PostgreSql.Wal;

/// <summary>What <see cref="WalArchive.PushAsync"/> did.</summary>
public enum WalPushOutcome
{
    Archived,

    /// <summary>The same bytes are there under that name already.</summary>
    AlreadyArchived,
}

/// <summary>
/// The WAL of one cluster in the repository. Each segment is one sealed object, created if absent, so that archiving is idempotent and two
/// archivers cannot harm each other: <c>wal/SYSTEMID/TIMELINE/SEGMENT</c>, parts of an unfinished segment
/// <c>wal/SYSTEMID/TIMELINE/SEGMENT.parts/BEGIN-END</c> (hex byte offsets), <c>wal/SYSTEMID/TIMELINE.history</c>; backup labels and
/// <c>.partial</c> segments stand beside the segments under their own names. The header of a segment is its <see cref="WalSegmentFacts"/>.
/// Safe for concurrent use.
/// </summary>
public sealed partial class WalArchive
{
    private readonly SealedObjects _objects;
    private readonly IObjectStore _store;
    private readonly WalObjectNames _names;
    private readonly ulong _system;

    public WalArchive(BackupRepository repository, string systemIdentifier)
        : this((repository ?? throw new ArgumentNullException(nameof(repository))).Sealed, repository.Store, systemIdentifier)
    {
    }

    /// <param name="objects">Seals and opens.</param>
    /// <param name="store">Where the sealed objects are: for listing.</param>
    /// <param name="systemIdentifier">Decimal, as pg_control_system() prints it.</param>
    /// <exception cref="WalFormatException">That is not a system identifier.</exception>
    public WalArchive(SealedObjects objects, IObjectStore store, string systemIdentifier)
    {
        if (!ulong.TryParse(systemIdentifier, NumberStyles.None, CultureInfo.InvariantCulture, out _system))
            throw new WalFormatException($"'{systemIdentifier}' is not a system identifier; pg_controldata prints the right one.");
        (_objects, _store) = (objects, store);
        SystemIdentifier = _system.ToString(CultureInfo.InvariantCulture);
        _names = new WalObjectNames(SystemIdentifier);
    }

    public string SystemIdentifier { get; }

    /// <summary>Whether this host adds WAL and reads none.</summary>
    public bool IsWriteOnly => _objects.IsWriteOnly;

    /// <summary>Archives a complete segment, after checking that its pages belong to this cluster, timeline and position.</summary>
    /// <exception cref="WalConflictException">Other bytes are archived under that name.</exception>
    /// <exception cref="WalFormatException">The bytes are not that segment of this cluster.</exception>
    public async ValueTask<WalPushOutcome> PushAsync(WalSegmentName name, ReadOnlyMemory<byte> segment, CancellationToken cancellationToken)
    {
        if (!WalVersion.IsSegmentSize(segment.Length))
            throw new WalFormatException(
                $"WAL segment {name} has {segment.Length} bytes, which is no segment size; it was cut or is not WAL.");
        var scan = WalScan.Read(segment.Span, name, segment.Length, _system);
        if (!scan.Stop.IsComplete)
        {
            throw new WalFormatException(
                $"WAL segment {name} is not sound: at LSN {scan.Stop.At}, {scan.Stop.Reason}. Nothing was archived; check the server's "
                    + "disk, and take a new base backup if the file stays like this.");
        }

        var facts = scan.Facts with { Sha256 = Hash(segment.Span) };
        var objectName = _names.Segment(name);
        return await CreateAsync(
            SealedKind.WalSegment, objectName, name.ToString(), facts.ToJson(), segment, facts.Sha256, cancellationToken);
    }

    /// <summary>Archives bytes <paramref name="begin"/>.. of a segment that is still being written.</summary>
    /// <exception cref="WalConflictException">Other bytes are archived as that part.</exception>
    /// <exception cref="WalFormatException">The bytes are not that part of that segment.</exception>
    public async ValueTask PushPartAsync(
        WalSegmentName name, int segmentSize, int begin, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        if (!WalVersion.IsSegmentSize(segmentSize) || begin < 0 || bytes.IsEmpty || bytes.Length > segmentSize - begin)
            throw new WalFormatException(
                $"Bytes {begin} to {(long)begin + bytes.Length} are no part of WAL segment {name} of {segmentSize} bytes.");
        WalPartCheck.Check(name, segmentSize, begin, bytes.Span, _system);
        var facts = new WalPartFacts(segmentSize, Hash(bytes.Span));
        var objectName = _names.Part(name, begin, begin + bytes.Length);
        var what = $"{name}, bytes {begin} to {begin + bytes.Length},";
        await CreateAsync(SealedKind.WalPart, objectName, what, facts.ToJson(), bytes, facts.Sha256, cancellationToken);
    }

    /// <summary>Archives a timeline history file. The same content again is success.</summary>
    public ValueTask<WalPushOutcome> PushHistoryAsync(uint timeline, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        TimelineHistory.Parse(timeline, content.Span);
        return PushSmallAsync(string.Create(CultureInfo.InvariantCulture, $"{timeline:X8}.history"), content, cancellationToken);
    }

    /// <summary>
    /// Archives whatever file a server passes to archive_command: a segment, a history file, a <c>.partial</c> segment, a <c>.backup</c>
    /// label.
    /// </summary>
    /// <exception cref="WalConflictException">Other bytes are archived under that name.</exception>
    /// <exception cref="WalFormatException">It is no such file, or not of this cluster.</exception>
    public ValueTask<WalPushOutcome> PushFileAsync(string fileName, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        if (!WalFileName.TryParse(fileName, out var name)) throw NotAWalFile(fileName);
        switch (name.Kind)
        {
            case WalFileKind.Segment:
                return PushAsync(name.Segment, content, cancellationToken);
            case WalFileKind.History:
                return PushHistoryAsync(name.Timeline, content, cancellationToken);
            case WalFileKind.PartialSegment:
                if (!WalVersion.IsSegmentSize(content.Length))
                    throw new WalFormatException($"{name} has {content.Length} bytes, which is no segment size.");
                var scan = WalScan.Read(content.Span, name.Segment, content.Length, _system);
                if (scan.Stop.Kind == WalStopKind.Broken && scan.Facts.FirstRecord is null && scan.Facts.Head is null)
                    throw new WalFormatException($"{name} is not WAL of this cluster: {scan.Stop.Reason}.");
                break;
            case WalFileKind.BackupLabel when content.Length > TimelineHistory.MaximumSize:
                throw new WalFormatException($"{name} has {content.Length} bytes, which is too much for a backup label.");
        }

        return PushSmallAsync(fileName, content, cancellationToken);
    }

    /// <summary>
    /// The bytes of a segment, a history file, a <c>.partial</c> segment or a backup label, or null if not archived. A segment of which
    /// only parts (or a <c>.partial</c>) are there is put together from them and padded with zeros to its full size.
    /// </summary>
    /// <exception cref="WalFormatException">No server asks for such a file.</exception>
    /// <exception cref="DamageException">What is archived is not what was written.</exception>
    public async ValueTask<byte[]?> FetchAsync(string fileName, CancellationToken cancellationToken)
    {
        if (!WalFileName.TryParse(fileName, out var name)) throw NotAWalFile(fileName);
        if (name.Kind == WalFileKind.Segment)
            return (await FetchSegmentAsync(name.Segment, cancellationToken))?.Bytes;
        var content = await _objects.ReadAsync(WalObjectNames.Kind(name.Kind), _names.File(name), cancellationToken);
        return content?.Body;
    }

    /// <summary>A complete segment, or null: never one put together from parts.</summary>
    public async ValueTask<byte[]?> FetchCompleteAsync(WalSegmentName name, CancellationToken cancellationToken) =>
        (await _objects.ReadAsync(SealedKind.WalSegment, _names.Segment(name), cancellationToken))?.Body;

    /// <summary>Complete segments, in order of timeline and position.</summary>
    public async IAsyncEnumerable<WalSegmentName> ListAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var item in _store.ListAsync(_names.Root, cancellationToken))
            if (WalSegmentName.TryParse(WalObjectNames.FileName(item.Name), out var name) && item.Name == _names.Segment(name))
                yield return name;
    }

    /// <summary>What is known of a complete segment, or null if it is not archived.</summary>
    /// <exception cref="DamageException">It is not what was written.</exception>
    public async ValueTask<WalSegmentFacts?> FindFactsAsync(WalSegmentName name, CancellationToken cancellationToken)
    {
        var objectName = _names.Segment(name);
        var header = await _objects.ReadHeaderAsync(SealedKind.WalSegment, objectName, cancellationToken);
        return header is null ? null : ParseFacts(objectName, header);
    }

    /// <summary>Where a timeline comes from; one without a history file is taken as the first of its cluster.</summary>
    public async ValueTask<TimelineHistory> GetHistoryAsync(uint timeline, CancellationToken cancellationToken)
    {
        if (timeline <= 1) return TimelineHistory.First(timeline);
        var name = string.Create(CultureInfo.InvariantCulture, $"{timeline:X8}.history");
        var content = await FetchAsync(name, cancellationToken);
        return content is null ? TimelineHistory.First(timeline) : TimelineHistory.Parse(timeline, content);
    }

    private ValueTask<WalPushOutcome> PushSmallAsync(string fileName, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        if (!WalFileName.TryParse(fileName, out var name)) throw NotAWalFile(fileName);
        var facts = new WalPartFacts(content.Length, Hash(content.Span));
        return CreateAsync(
            WalObjectNames.Kind(name.Kind), _names.File(name), fileName, facts.ToJson(), content, facts.Sha256, cancellationToken);
    }

    private async ValueTask<WalPushOutcome> CreateAsync(
        SealedKind kind, string objectName, string what, byte[] header, ReadOnlyMemory<byte> body, string sha256,
        CancellationToken cancellationToken)
    {
        if (await _objects.CreateAsync(kind, objectName, header, body, cancellationToken)) return WalPushOutcome.Archived;
        byte[]? known;
        try
        {
            known = await _objects.ReadHeaderAsync(kind, objectName, cancellationToken);
        }
        catch (WriteOnlyException)
        {
            throw new WalUnreadableException(what);
        }

        if (known is null)
            throw new StoreException(
                $"Object {objectName} was there and is gone; another process deleted it. Try again.", transient: true);
        if (ReadSha256(objectName, known) == sha256) return WalPushOutcome.AlreadyArchived;
        throw new WalConflictException(
            $"WAL {what} is already archived with other content: two servers archive as the same cluster, or this one was restored "
                + "without a new timeline. Nothing was overwritten; give this server a repository of its own, or find out which of "
                    + "the two is right.");
    }

    private static string ReadSha256(string objectName, byte[] header)
    {
        try
        {
            return JsonSerializer.Deserialize<JsonElement>(header).GetProperty("sha256").GetString() ?? "";
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw new DamageException(objectName, $"The facts of {objectName} cannot be read: {e.Message}", e);
        }
    }

    private static WalSegmentFacts ParseFacts(string objectName, byte[] header)
    {
        try
        {
            return WalSegmentFacts.FromJson(header);
        }
        catch (JsonException e)
        {
            throw new DamageException(objectName, $"The facts of {objectName} cannot be read: {e.Message}", e);
        }
    }

    private static string Hash(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    private static WalFormatException NotAWalFile(string fileName) =>
        new($"'{fileName}' is not a WAL file; archive_command and restore_command pass names such as 000000010000000000000001 (%f) here.");
}
