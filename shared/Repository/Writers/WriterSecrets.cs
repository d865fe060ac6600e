using System.Buffers.Binary;
using FunctionsBackup.Repository.Crypto;

namespace FunctionsBackup.Repository.Writers;

/// <summary>
/// What a writer and the holders of the repository's keys share: 32 bytes, from which the proof follows that a session is its, and the key of its
/// entries of the audit log. No recovery point can be read with it.
/// </summary>
internal sealed class WriterSecrets : IDisposable
{
    private readonly SecretBytes _secret;

    private WriterSecrets(uint writer, SecretBytes secret)
    {
        Writer = writer;
        _secret = secret;
        AuditKey = KeyDerivation.Derive(secret.Span, "FunctionsBackup writer log 1"u8);
        ProofKey = KeyDerivation.Derive(secret.Span, "FunctionsBackup session proof 1"u8);
    }

    /// <summary>The writer's number.</summary>
    public uint Writer { get; }

    /// <summary>The secret itself: for the writer file.</summary>
    public ReadOnlySpan<byte> Span => _secret.Span;

    /// <summary>Data key of the epoch that has the writer's number: its segments of the audit log, which it may read again.</summary>
    public SecretBytes AuditKey { get; }

    /// <summary>Key of the code that says that a session is this writer's.</summary>
    public SecretBytes ProofKey { get; }

    /// <summary>From the repository's secret (FORMAT.md §3.1).</summary>
    /// <param name="writersSecret">What the repository secret gives for all writers.</param>
    /// <param name="writer">The writer's number.</param>
    public static WriterSecrets Derive(SecretBytes writersSecret, uint writer)
    {
        Span<byte> salt = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32LittleEndian(salt, writer);
        return new WriterSecrets(writer, KeyDerivation.Derive(writersSecret.Span, "FunctionsBackup writer 1"u8, salt));
    }

    /// <summary>From a writer file.</summary>
    public static WriterSecrets Of(uint writer, ReadOnlySpan<byte> secret) => new(writer, SecretBytes.Copy(secret));

    public void Dispose()
    {
        _secret.Dispose();
        AuditKey.Dispose();
        ProofKey.Dispose();
    }
}
