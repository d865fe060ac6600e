using FunctionsBackup.Repository.Crypto;
using FunctionsBackup.Repository.Writers;
using FunctionsBackup.Storage;

namespace FunctionsBackup.Repository.Keys;

/// <summary>Opens the records of epochs that began after the repository was unlocked. Holds the key that wraps them until disposed.</summary>
internal sealed class EpochSource(RepositoryScope scope, SecretBytes masterKey) : IDisposable
{
    private readonly SecretBytes _wrapping = KeyRecord.Wrapping(masterKey.Span);
    private WriterKeySource? _writers;

    /// <summary>The data key, which the caller disposes of, or null if there is no such epoch.</summary>
    /// <exception cref="DamageException">Its record is damaged.</exception>
    public async ValueTask<SecretBytes?> ReadAsync(IObjectStore store, uint epoch, CancellationToken cancellationToken)
    {
        if (epoch is 0 or > KeyObjects.MaximumEpoch) return null; // what a hostile object names
        var name = KeyObjects.Epoch(scope.KeyGeneration, epoch);
        return await KeyObjects.ReadAsync(store, name, cancellationToken).ConfigureAwait(false) is { } bytes
            ? KeyRecord.Open(bytes, KeyRecord.EpochKind, name, scope, _wrapping)
            : null;
    }

    /// <summary>
    /// The same of a session of a write-only writer, or of such a writer's own key; the writer's secrets stay this object's.
    /// </summary>
    /// <param name="store">The repository's.</param>
    /// <param name="epoch">The session's number, or the writer's.</param>
    /// <param name="writersSecret">What writers' secrets follow from; must outlive this object.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <exception cref="DamageException">A record is damaged, or the session does not count.</exception>
    public async ValueTask<OpenedSession?> ReadOfWriterAsync(
        IObjectStore store, uint epoch, SecretBytes writersSecret, CancellationToken cancellationToken)
    {
        var source = _writers ?? Interlocked.CompareExchange(ref _writers, new WriterKeySource(scope, _wrapping, writersSecret), null) ?? _writers;
        if (EpochKinds.IsSession(epoch)) return await source.OpenSessionAsync(store, epoch, cancellationToken).ConfigureAwait(false);
        return EpochKinds.IsWriter(epoch) && await source.FindWriterAsync(store, epoch, cancellationToken).ConfigureAwait(false) is { } writer
            ? new OpenedSession(SecretBytes.Copy(writer.AuditKey.Span), writer)
            : null;
    }

    public void Dispose()
    {
        _writers?.Dispose();
        _wrapping.Dispose();
    }
}
