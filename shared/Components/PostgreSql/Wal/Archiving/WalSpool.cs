using System.Security.Cryptography;

namespace FunctionsBackup.Components.PostgreSql.Wal.Archiving;

/// <summary>
/// A folder beside the server that carries knowledge from one archive_command or restore_command to the next:
/// <c>push/NAME.SHA256</c>, empty, says that this file is archived with this content; <c>begun/NAME.SHA256</c> that a host that only writes
/// began to archive it; <c>fetch/NAME.SHA256</c> is a segment fetched ahead.
/// Losing it costs time, never data: what it says counts only if the content's hash agrees. Safe for several processes.
/// </summary>
internal sealed class WalSpool
{
    private const int HashLength = 64;
    private readonly string _push, _fetch, _begun;

    public WalSpool(string directory, string systemIdentifier)
    {
        _push = Path.Combine(directory, systemIdentifier, "push");
        _fetch = Path.Combine(directory, systemIdentifier, "fetch");
        _begun = Path.Combine(directory, systemIdentifier, "begun");
    }

    public static string Hash(ReadOnlySpan<byte> content) => Convert.ToHexStringLower(SHA256.HashData(content));

    /// <summary>Whether the file is known to be archived with just this content; forgets it then.</summary>
    public bool TryTakeAcknowledgement(string name, Func<string> hash)
    {
        var known = Find(_push, name);
        if (known.Count == 0) return false;
        var sha256 = hash();
        var found = false;
        foreach (var (path, knownHash) in known)
        {
            found |= knownHash == sha256;
            File.Delete(path);
        }

        return found;
    }

    public bool HasAcknowledgement(string name) => Find(_push, name).Count > 0;

    public void Acknowledge(string name, string sha256)
    {
        Create(_push);
        using var file = File.OpenHandle(
            Path.Combine(_push, $"{name}.{sha256}"), FileMode.OpenOrCreate, FileAccess.Write, FileShare.ReadWrite);
    }

    /// <summary>Notes that the file is about to be archived with this content, for who cannot read what is archived.</summary>
    public void Begin(string name, string sha256)
    {
        Create(_begun);
        using var file = File.OpenHandle(
            Path.Combine(_begun, $"{name}.{sha256}"), FileMode.OpenOrCreate, FileAccess.Write, FileShare.ReadWrite);
    }

    /// <summary>Whether this machine began to archive the file with just this content.</summary>
    public bool HasBegun(string name, string sha256) => Find(_begun, name).Any(f => f.Sha256 == sha256);

    /// <summary>Forgets what no server will ask about any more.</summary>
    public void KeepAcknowledgements(Func<string, bool> isWanted)
    {
        foreach (var (path, name, _) in List(_push).Concat(List(_begun)))
            if (!isWanted(name)) File.Delete(path);
    }

    /// <summary>A segment that was fetched ahead, or null; what is damaged is deleted.</summary>
    public async ValueTask<byte[]?> TryTakeSegmentAsync(string name, CancellationToken cancellationToken)
    {
        foreach (var (path, sha256) in Find(_fetch, name))
        {
            try
            {
                var content = await File.ReadAllBytesAsync(path, cancellationToken);
                if (Hash(content) == sha256) return content;
            }
            catch (FileNotFoundException)
            {
                continue; // taken or cleaned away by another process meanwhile
            }

            File.Delete(path);
        }

        return null;
    }

    public bool HasSegment(string name) => Find(_fetch, name).Count > 0;

    public async ValueTask PutSegmentAsync(string name, byte[] content, CancellationToken cancellationToken)
    {
        Create(_fetch);
        await AtomicFile.WriteAsync(Path.Combine(_fetch, $"{name}.{Hash(content)}"), content, cancellationToken);
    }

    /// <summary>Deletes segments that recovery is past, and whatever an interrupted run left.</summary>
    public void CleanSegments(WalSegmentName asked, DateTimeOffset abandonedBefore)
    {
        if (!Directory.Exists(_fetch)) return;
        foreach (var path in Directory.EnumerateFiles(_fetch))
        {
            var file = Path.GetFileName(path);
            var isPast = file.Length == 24 + 1 + HashLength
                && WalSegmentName.TryParse(file[..24], out var name)
                && name.Timeline == asked.Timeline
                && (name.Log, name.Segment).CompareTo((asked.Log, asked.Segment)) <= 0;
            if (isPast || File.GetLastWriteTimeUtc(path) < abandonedBefore.UtcDateTime) File.Delete(path);
        }
    }

    /// <summary>Segments hold the database's content: for the server's user alone.</summary>
    private static void Create(string directory)
    {
        if (!OperatingSystem.IsWindows())
            Directory.CreateDirectory(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    private static List<(string Path, string Sha256)> Find(string directory, string name)
    {
        if (!Directory.Exists(directory)) return [];
        var files = Directory.EnumerateFiles(directory, name + ".*");
        return [.. files.Select(p => (Path: p, Sha256: Path.GetFileName(p)[(name.Length + 1)..])).Where(f => IsHash(f.Sha256))];
    }

    private static IEnumerable<(string Path, string Name, string Sha256)> List(string directory)
    {
        if (!Directory.Exists(directory)) yield break;
        foreach (var path in Directory.EnumerateFiles(directory))
        {
            var file = Path.GetFileName(path);
            if (file.Length > HashLength + 1 && IsHash(file[^HashLength..]))
                yield return (path, file[..^(HashLength + 1)], file[^HashLength..]);
        }
    }

    private static bool IsHash(string text) => text.Length == HashLength && text.All(char.IsAsciiHexDigitLower);
}
