using System.Globalization;
using System.Text;
using FunctionsBackup.Repository.Audit;
using FunctionsBackup.Repository.Chunking;
using FunctionsBackup.Repository.Crypto;
using FunctionsBackup.Repository.Keys;

namespace FunctionsBackup.Repository.Writers;

/// <summary>
/// What a backup host holds that may add recovery points and read none: the repository's public key, a secret of the writer's own, and the key
/// that signs its chain of the audit log. Whoever has the file can add recovery points in the writer's name until the writer is removed.
/// </summary>
public sealed class WriterFile : IDisposable
{
    private const string Magic = "FunctionsBackup writer file";
    private const int Version = 1;

    private WriterFile(
        string repositoryId, string keyGeneration, ChunkerParameters chunker, byte[] publicKey, WriterSecrets secrets, string label, AuditSigner signer)
    {
        RepositoryId = repositoryId;
        KeyGeneration = keyGeneration;
        Chunker = chunker;
        PublicKey = publicKey;
        Secrets = secrets;
        Label = label;
        Signer = signer;
    }

    /// <summary>The writer's id: 8 hex digits.</summary>
    public string Id => WriterNumber.Format(Secrets.Writer);

    public string Label { get; }

    /// <summary>The one repository that the file is for.</summary>
    public string RepositoryId { get; }

    /// <summary>Signs the writer's chain of the audit log.</summary>
    public AuditSigner Signer { get; }

    internal string KeyGeneration { get; }

    internal ChunkerParameters Chunker { get; }

    internal byte[] PublicKey { get; }

    internal WriterSecrets Secrets { get; }

    internal static WriterFile Create(RepositoryConfig config, byte[] publicKey, WriterSecrets secrets, string label, AuditSigner signer) =>
        new(config.RepositoryId, config.KeyGeneration, config.Chunker, publicKey, secrets, label, signer);

    /// <summary>Reads what <see cref="ToText"/> wrote.</summary>
    /// <exception cref="FormatException">It is not a writer file.</exception>
    public static WriterFile Parse(string text)
    {
        if (text.Length > JsonFields.MaximumLength) throw new FormatException("The writer file is far too large; is it the right one?");
        WriterSecrets? secrets = null;
        try
        {
            var fields = JsonFields.Parse(Encoding.UTF8.GetBytes(text), Magic);
            if (fields.Number("version") != Version) throw new InvalidDataException("it is of another version");
            var number = WriterNumber.Parse(fields.String("writer")) ?? throw new InvalidDataException("its field writer is malformed");
            var chunker = fields.Object("chunker");
            var parameters = new ChunkerParameters(chunker.Number("minimum"), chunker.Number("average"), chunker.Number("maximum"));
            var publicKey = fields.Bytes("public", WritersKey.PointSize);
            if (!parameters.IsValid) throw new InvalidDataException("its field chunker is malformed");
            if (!WritersKey.IsPoint(publicKey)) throw new InvalidDataException("its field public is no point of the curve P-256");
            var (repository, generation) = (fields.String("repository"), fields.String("keys"));
            if (repository.Length != 32 || !KeyObjects.IsLowerHex(repository) || !KeyObjects.IsGeneration(generation))
                throw new InvalidDataException("its fields repository and keys are malformed");
            secrets = WriterSecrets.Of(number, fields.Bytes("secret", KeyDerivation.KeySize));
            return new WriterFile(
                repository, generation, parameters, publicKey, secrets, fields.String("label"), AuditSigner.Load(fields.String("audit")));
        }
        catch (Exception e) when (e is InvalidDataException or RepositoryException)
        {
            secrets?.Dispose();
            throw new FormatException($"The writer file cannot be read: {e.Message}; make a new one with 'fbackup repository keys writer add'.", e);
        }
    }

    /// <summary>JSON, for a file that nobody else can read.</summary>
    public string ToText() => Encoding.UTF8.GetString(KeyObjects.Json(json =>
    {
        json.WriteString("magic", Magic);
        json.WriteNumber("version", Version);
        json.WriteString("repository", RepositoryId);
        json.WriteString("keys", KeyGeneration);
        json.WriteStartObject("chunker");
        json.WriteNumber("minimum", Chunker.Minimum);
        json.WriteNumber("average", Chunker.Average);
        json.WriteNumber("maximum", Chunker.Maximum);
        json.WriteEndObject();
        json.WriteString("writer", Id);
        json.WriteString("label", Label);
        json.WriteBase64String("public", PublicKey);
        json.WriteBase64String("secret", Secrets.Span);
        json.WriteString("audit", Signer.ExportPem());
    })) + "\n";

    public void Dispose()
    {
        Secrets.Dispose();
        Signer.Dispose();
    }

    /// <summary>Never the content.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"writer {Id}");
}
