using System.Globalization;
using System.Security.Cryptography;
using FunctionsBackup.Repository.Crypto;
using FunctionsBackup.Repository.Keys;

namespace FunctionsBackup.Repository.Writers;

/// <summary>A write-only writer, as the holders of the repository's keys let it in: <c>keys/GENERATION/writers/NUMBER</c> (FORMAT.md §3.5).</summary>
/// <param name="Number">Its number.</param>
/// <param name="Label">What people call it.</param>
/// <param name="Created">When it was added.</param>
/// <param name="AuditWriter">The id of its chain of the audit log.</param>
internal sealed record WriterRecord(uint Number, string Label, DateTimeOffset Created, string AuditWriter)
{
    private const string Magic = "FunctionsBackup writer";
    private const int Version = 1;

    /// <exception cref="InvalidDataException">It is not this writer's record, or nobody who held the keys made it.</exception>
    public static WriterRecord Parse(uint number, byte[] bytes, RepositoryScope scope, SecretBytes writersSecret)
    {
        if (bytes.Length > JsonFields.MaximumLength) throw new InvalidDataException("it is far too large");
        var fields = JsonFields.Parse(bytes, Magic);
        if (fields.Number("version") != Version) throw new InvalidDataException("it is of another version");
        var record = new WriterRecord(number, fields.String("label"), fields.Time("created"), fields.String("audit"));
        var mac = fields.Bytes("mac", HMACSHA256.HashSizeInBytes);
        return CryptographicOperations.FixedTimeEquals(record.ComputeMac(scope, writersSecret), mac)
            ? record
            : throw new InvalidDataException("the repository's key does not vouch for it");
    }

    public byte[] ToJson(RepositoryScope scope, SecretBytes writersSecret) => KeyObjects.Json(json =>
    {
        json.WriteString("magic", Magic);
        json.WriteNumber("version", Version);
        json.WriteString("label", Label);
        json.WriteString("created", Created.ToString("O", CultureInfo.InvariantCulture));
        json.WriteString("audit", AuditWriter);
        json.WriteBase64String("mac", ComputeMac(scope, writersSecret));
    });

    private byte[] ComputeMac(RepositoryScope scope, SecretBytes writersSecret)
    {
        using var key = KeyDerivation.Derive(writersSecret.Span, "FunctionsBackup writer record 1"u8);
        return HMACSHA256.HashData(
            key.Span,
            new AssociatedData("writer", Version, scope.RepositoryId, KeyObjects.Writer(scope.KeyGeneration, Number))
                .Add(Label).Add(Created.ToString("O", CultureInfo.InvariantCulture)).Add(AuditWriter).ToArray());
    }
}
