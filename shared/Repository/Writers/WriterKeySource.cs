using System.Collections.Concurrent;
using FunctionsBackup.Repository.Crypto;
using FunctionsBackup.Repository.Keys;
using FunctionsBackup.Storage;

namespace FunctionsBackup.Repository.Writers;

/// <summary>A session's data key, with the secrets of the writer that made it.</summary>
internal sealed record OpenedSession(SecretBytes DataKey, WriterSecrets Writer);

/// <summary>Opens what write-only writers sealed, for holders of the repository's keys. Safe for concurrent use.</summary>
/// <param name="scope">Of the repository.</param>
/// <param name="wrapping">The key that wraps key records; stays the caller's.</param>
/// <param name="writersSecret">What writers' secrets follow from; stays the caller's.</param>
internal sealed class WriterKeySource(RepositoryScope scope, SecretBytes wrapping, SecretBytes writersSecret) : IDisposable
{
    private readonly ConcurrentDictionary<uint, KnownWriter> _writers = [];
    private WritersKey? _key;

    /// <summary>The session's data key, which the caller disposes of; null: there is no such session.</summary>
    /// <exception cref="DamageException">Its record, or the writer's, is damaged, or it was made after the writer was removed.</exception>
    public async ValueTask<OpenedSession?> OpenSessionAsync(IObjectStore store, uint session, CancellationToken cancellationToken)
    {
        var name = KeyObjects.Session(scope.KeyGeneration, session);
        if (await KeyObjects.ReadAsync(store, name, cancellationToken).ConfigureAwait(false) is not { } bytes) return null;
        try
        {
            var record = SessionRecord.Parse(bytes);
            var writer = await FindAsync(store, record.Writer, cancellationToken).ConfigureAwait(false)
                ?? throw new InvalidDataException($"it names writer {WriterNumber.Format(record.Writer)}, which nobody let in");
            if (writer.Removal?.Accepts(session) == false)
                throw new InvalidDataException(
                    $"writer {WriterNumber.Format(record.Writer)} was removed on {writer.Removal.At:yyyy-MM-dd}, and made it afterwards");
            var key = await KeyAsync(store, cancellationToken).ConfigureAwait(false);
            return new OpenedSession(record.Open(session, writer.Secrets, key, scope), writer.Secrets);
        }
        catch (InvalidDataException e)
        {
            throw new DamageException(name, $"The object {name} is damaged: {e.Message}; put it back from a replica.", e);
        }
    }

    /// <summary>A writer's secrets, which stay this object's; null: nobody let such a writer in.</summary>
    /// <exception cref="DamageException">Its record is damaged.</exception>
    public async ValueTask<WriterSecrets?> FindWriterAsync(IObjectStore store, uint writer, CancellationToken cancellationToken) =>
        (await FindAsync(store, writer, cancellationToken).ConfigureAwait(false))?.Secrets;

    public void Dispose()
    {
        foreach (var writer in _writers.Values) writer.Secrets.Dispose();
        _key?.Dispose();
    }

    private async ValueTask<KnownWriter?> FindAsync(IObjectStore store, uint number, CancellationToken cancellationToken)
    {
        if (_writers.TryGetValue(number, out var known)) return known;
        var name = KeyObjects.Writer(scope.KeyGeneration, number);
        if (await KeyObjects.ReadAsync(store, name, cancellationToken).ConfigureAwait(false) is not { } bytes) return null;
        try
        {
            WriterRecord.Parse(number, bytes, scope, writersSecret);
        }
        catch (InvalidDataException e)
        {
            throw new DamageException(name, $"The object {name} is damaged: {e.Message}; put it back from a replica.", e);
        }

        WriterRemoval? removal;
        try
        {
            removal = await WriterRemoval.FindAsync(store, number, scope, writersSecret, cancellationToken).ConfigureAwait(false);
        }
        catch (DamageException)
        {
            // Whoever may create objects could put one there, and must not take a writer's recovery points away with it. Verification names it.
            removal = null;
        }

        var secrets = WriterSecrets.Derive(writersSecret, number);
        if (_writers.TryAdd(number, new KnownWriter(secrets, removal))) return _writers[number];
        secrets.Dispose();
        return _writers[number];
    }

    private async ValueTask<WritersKey> KeyAsync(IObjectStore store, CancellationToken cancellationToken)
    {
        if (Volatile.Read(ref _key) is { } there) return there;
        var name = KeyObjects.WritersKey(scope.KeyGeneration);
        var found = await WritersKey.FindAsync(store, scope, wrapping, cancellationToken).ConfigureAwait(false)
            ?? throw new DamageException(name, $"The object {name} is missing: put it back from a replica, it holds keys.");
        if (Interlocked.CompareExchange(ref _key, found, null) is not { } first) return found;
        found.Dispose();
        return first;
    }

    private sealed record KnownWriter(WriterSecrets Secrets, WriterRemoval? Removal);
}
