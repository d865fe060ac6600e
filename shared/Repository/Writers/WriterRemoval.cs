using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using FunctionsBackup.Repository.Crypto;
using FunctionsBackup.Repository.Keys;
using FunctionsBackup.Storage;

namespace FunctionsBackup.Repository.Writers;

/// <summary>
/// That a writer counts no more: <c>keys/GENERATION/writers/NUMBER.removed</c>. Names the sessions that the writer had by then, which stay
/// readable; any other of it was made with a file that should be gone.
/// </summary>
internal sealed class WriterRemoval
{
    /// <summary>Some three million sessions.</summary>
    public const int MaximumLength = 16 << 20;

    private const string Magic = "FunctionsBackup writer removal";
    private const int Version = 1;

    private readonly HashSet<uint> _sessions;

    private WriterRemoval(DateTimeOffset at, IEnumerable<uint> sessions)
    {
        At = at;
        _sessions = [.. sessions];
    }

    public DateTimeOffset At { get; }

    /// <summary>How many the writer had.</summary>
    public int Sessions => _sessions.Count;

    /// <summary>Whether the session was there before the writer was removed.</summary>
    public bool Accepts(uint session) => _sessions.Contains(session);

    public static byte[] Create(uint writer, DateTimeOffset at, IReadOnlyList<uint> sessions, RepositoryScope scope, SecretBytes writersSecret)
    {
        var list = new byte[sessions.Count * sizeof(uint)];
        for (var i = 0; i < sessions.Count; i++) BinaryPrimitives.WriteUInt32LittleEndian(list.AsSpan(i * sizeof(uint)), sessions[i]);
        return KeyObjects.Json(json =>
        {
            json.WriteString("magic", Magic);
            json.WriteNumber("version", Version);
            json.WriteString("at", at.ToString("O", CultureInfo.InvariantCulture));
            json.WriteBase64String("sessions", list);
            json.WriteBase64String("mac", ComputeMac(writer, at, list, scope, writersSecret));
        });
    }

    /// <summary>The removal of a writer; null: it was not removed.</summary>
    /// <exception cref="DamageException">What is in its place nobody made who held the keys.</exception>
    public static async ValueTask<WriterRemoval?> FindAsync(
        IObjectStore store, uint writer, RepositoryScope scope, SecretBytes writersSecret, CancellationToken cancellationToken)
    {
        var name = KeyObjects.WriterRemoval(scope.KeyGeneration, writer);
        if (await store.FindAsync(name, cancellationToken).ConfigureAwait(false) is not { } info) return null;
        if (await KeyObjects.ReadAsync(store, name, (int)Math.Min(info.Size, MaximumLength), cancellationToken).ConfigureAwait(false) is not { } bytes) return null;
        try
        {
            return Parse(writer, bytes, scope, writersSecret);
        }
        catch (InvalidDataException e)
        {
            throw new DamageException(
                name,
                $"The object {name} is damaged, so the writer counts as not removed: {e.Message}; put it back from a replica, or remove the writer "
                + "(once more) with 'fbackup repository keys writer remove'.", e);
        }
    }

    /// <exception cref="InvalidDataException">It is not this writer's removal, or nobody who held the keys made it.</exception>
    public static WriterRemoval Parse(uint writer, byte[] bytes, RepositoryScope scope, SecretBytes writersSecret)
    {
        if (bytes.Length > MaximumLength) throw new InvalidDataException("it is far too large");
        var fields = JsonFields.Parse(bytes, Magic);
        if (fields.Number("version") != Version) throw new InvalidDataException("it is of another version");
        var at = fields.Time("at");
        var list = fields.String("sessions") is "" ? [] : fields.BytesUpTo("sessions", MaximumLength);
        if (list.Length % sizeof(uint) != 0
            || !CryptographicOperations.FixedTimeEquals(
                ComputeMac(writer, at, list, scope, writersSecret), fields.Bytes("mac", HMACSHA256.HashSizeInBytes)))
            throw new InvalidDataException("the repository's key does not vouch for it");
        return new WriterRemoval(at, Numbers(list));
    }

    private static IEnumerable<uint> Numbers(byte[] list)
    {
        for (var at = 0; at < list.Length; at += sizeof(uint)) yield return BinaryPrimitives.ReadUInt32LittleEndian(list.AsSpan(at));
    }

    private static byte[] ComputeMac(uint writer, DateTimeOffset at, byte[] list, RepositoryScope scope, SecretBytes writersSecret)
    {
        using var key = KeyDerivation.Derive(writersSecret.Span, "FunctionsBackup writer record 1"u8);
        return HMACSHA256.HashData(
            key.Span,
            new AssociatedData("writer removal", Version, scope.RepositoryId, KeyObjects.WriterRemoval(scope.KeyGeneration, writer))
                .Add(at.ToString("O", CultureInfo.InvariantCulture)).Add(SHA256.HashData(list)).ToArray());
    }
}
