using System.Security.Cryptography;

namespace FunctionsBackup.Repository.Audit;

/// <summary>
/// The key of one writer: ECDSA over P-256 with SHA-256. The writer's id is the hash of its public key, so that a segment names the only key
/// that can have signed it.
/// </summary>
public sealed class AuditSigner : IDisposable
{
    internal const int SignatureSize = 64;

    private readonly ECDsa _key;

    private AuditSigner(ECDsa key)
    {
        _key = key;
        PublicKey = key.ExportSubjectPublicKeyInfo();
        Writer = WriterOf(PublicKey);
    }

    /// <summary>32 hex digits: the first half of the SHA-256 of the public key.</summary>
    public string Writer { get; }

    /// <summary>SubjectPublicKeyInfo, DER.</summary>
    public byte[] PublicKey { get; }

    public static AuditSigner Create() => new(ECDsa.Create(ECCurve.NamedCurves.nistP256));

    /// <param name="pem">As <see cref="ExportPem"/> gave it.</param>
    /// <exception cref="RepositoryException">It is no such key.</exception>
    public static AuditSigner Load(string pem)
    {
        var key = ECDsa.Create();
        try
        {
            key.ImportFromPem(pem);
            if (IsP256(key)) return new AuditSigner(key);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            key.Dispose();
            throw new RepositoryException("The key of the audit log's writer cannot be read.", e);
        }

        key.Dispose();
        throw new RepositoryException("The key of the audit log's writer is not one of the curve P-256.");
    }

    /// <summary>The private key, PKCS #8 in PEM: for a file that nobody else can read.</summary>
    public string ExportPem() => _key.ExportPkcs8PrivateKeyPem();

    public static string WriterOf(ReadOnlySpan<byte> publicKey) => Convert.ToHexStringLower(SHA256.HashData(publicKey).AsSpan(0, 16));

    /// <summary>64 bytes: r and s.</summary>
    public byte[] Sign(ReadOnlySpan<byte> statement) => _key.SignData(statement, HashAlgorithmName.SHA256);

    /// <summary>Whether the holder of the key signed this. False for a key that is none.</summary>
    public static bool Verify(ReadOnlySpan<byte> publicKey, ReadOnlySpan<byte> statement, ReadOnlySpan<byte> signature)
    {
        using var key = ECDsa.Create();
        try
        {
            key.ImportSubjectPublicKeyInfo(publicKey, out var read);
            return read == publicKey.Length && IsP256(key) && key.VerifyData(statement, signature, HashAlgorithmName.SHA256);
        }
        catch (CryptographicException)
        {
            return false;
        }
    }

    public void Dispose() => _key.Dispose();

    private static bool IsP256(ECDsa key) => key.KeySize == 256 && key.ExportParameters(false).Curve.Oid is { } curve
        && (curve.Value == ECCurve.NamedCurves.nistP256.Oid.Value || curve.FriendlyName == ECCurve.NamedCurves.nistP256.Oid.FriendlyName);
}
