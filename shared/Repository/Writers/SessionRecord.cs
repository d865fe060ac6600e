using System.Globalization;
using System.Security.Cryptography;
using FunctionsBackup.Repository.Crypto;
using FunctionsBackup.Repository.Keys;

namespace FunctionsBackup.Repository.Writers;

/// <summary>
/// The data key of one session of a write-only writer, wrapped for the holders of the repository's keys: <c>keys/GENERATION/sessions/NUMBER</c>
/// (FORMAT.md §3.5). The writer itself cannot open it again.
/// </summary>
internal sealed record SessionRecord
{
    private const string Magic = "FunctionsBackup session";
    private const int Version = 1;

    public required uint Writer { get; init; }

    public required string Created { get; init; }

    /// <summary>The public half of the session's own key pair.</summary>
    public required byte[] Ephemeral { get; init; }

    /// <summary>The data key: nonce, ciphertext, tag.</summary>
    public required byte[] Key { get; init; }

    /// <summary>Says that the writer made it; encryption to a public key alone says nothing of who did.</summary>
    public required byte[] Proof { get; init; }

    /// <summary>Wraps a new data key.</summary>
    public static SessionRecord Create(
        uint session, WriterSecrets writer, byte[] writersPublic, RepositoryScope scope, SecretBytes dataKey, DateTimeOffset now)
    {
        var created = now.ToString("O");
        var (wrapping, ephemeral) = WritersKey.Agree(writersPublic);
        using (wrapping)
        {
            var bound = Bound(session, writer.Writer, created, scope, ephemeral);
            var box = AesGcmBox.Seal(wrapping.Span, dataKey.Span, bound.ToArray());
            return new SessionRecord
            {
                Writer = writer.Writer, Created = created, Ephemeral = ephemeral, Key = box,
                Proof = HMACSHA256.HashData(writer.ProofKey.Span, bound.Add(box).ToArray()),
            };
        }
    }

    /// <exception cref="InvalidDataException">It is not a session's record.</exception>
    public static SessionRecord Parse(byte[] bytes)
    {
        if (bytes.Length > JsonFields.MaximumLength) throw new InvalidDataException("it is far too large");
        var fields = JsonFields.Parse(bytes, Magic);
        if (fields.Number("version") != Version) throw new InvalidDataException("it is of another version");
        return new SessionRecord
        {
            Writer = WriterNumber.Parse(fields.String("writer")) ?? throw new InvalidDataException("its field writer is malformed"),
            Created = fields.Time("created").ToString("O", CultureInfo.InvariantCulture),
            Ephemeral = fields.Bytes("public", WritersKey.PointSize),
            Key = fields.Bytes("key", KeyDerivation.KeySize + AesGcmBox.Overhead),
            Proof = fields.Bytes("proof", HMACSHA256.HashSizeInBytes),
        };
    }

    public byte[] ToJson() => KeyObjects.Json(json =>
    {
        json.WriteString("magic", Magic);
        json.WriteNumber("version", Version);
        json.WriteString("writer", WriterNumber.Format(Writer));
        json.WriteString("created", Created);
        json.WriteBase64String("public", Ephemeral);
        json.WriteBase64String("key", Key);
        json.WriteBase64String("proof", Proof);
    });

    /// <summary>The data key.</summary>
    /// <exception cref="InvalidDataException">The writer did not make it so, or for another session or repository.</exception>
    public SecretBytes Open(uint session, WriterSecrets writer, WritersKey writersKey, RepositoryScope scope)
    {
        var bound = Bound(session, Writer, Created, scope, Ephemeral);
        var associated = bound.ToArray();
        if (!CryptographicOperations.FixedTimeEquals(HMACSHA256.HashData(writer.ProofKey.Span, bound.Add(Key).ToArray()), Proof))
            throw new InvalidDataException($"writer {WriterNumber.Format(Writer)} did not make it, or it was changed");
        using var wrapping = writersKey.Agree(Ephemeral);
        return AesGcmBox.TryOpen(wrapping.Span, Key, associated)
            ?? throw new InvalidDataException("it was wrapped for another repository");
    }

    private static AssociatedData Bound(uint session, uint writer, string created, RepositoryScope scope, byte[] ephemeral) =>
        new AssociatedData("session", Version, scope.RepositoryId, KeyObjects.Session(scope.KeyGeneration, session))
            .Add(WriterNumber.Format(writer)).Add(created).Add(ephemeral);
}
