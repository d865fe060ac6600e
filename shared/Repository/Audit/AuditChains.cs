using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text.Json;
using FunctionsBackup.Repository.Crypto;
using FunctionsBackup.Repository.Keys;
using FunctionsBackup.Repository.Sealing;
using FunctionsBackup.Repository.Writers;
using FunctionsBackup.Storage;

namespace FunctionsBackup.Repository.Audit;

/// <summary>
/// The log as it lies in the repository: for each writer a chain of write-once segments (FORMAT.md §9). Entries are lines of text to it.
/// Nothing here deletes. Safe for concurrent use.
/// </summary>
public sealed class AuditChains
{
    /// <summary>Bytes of a segment's entries; what is longer goes into several segments.</summary>
    public const int MaximumBody = 2 << 20;

    private readonly IObjectStore _store;
    private readonly SealedObjects _sealed;
    private readonly KeyRing _keys;
    private readonly string _repository;

    internal AuditChains(IObjectStore store, SealedObjects sealedObjects, KeyRing keys, string repository)
    {
        (_store, _sealed, _keys, _repository) = (store, sealedObjects, keys, repository);
    }

    /// <summary>Makes a writer known, before its first segment. Doing it again changes nothing.</summary>
    public async ValueTask IntroduceAsync(AuditSigner signer, string host, DateTimeOffset at, CancellationToken cancellationToken)
    {
        var introduction = new AuditIntroduction
        {
            Writer = signer.Writer, Host = host, IntroducedAt = at, Key = signer.PublicKey, Mac = MacOf(signer.Writer, signer.PublicKey),
        };
        await _sealed.CreateAsync(
            SealedKind.AuditWriter, AuditNames.WriterOf(signer.Writer), default,
            JsonSerializer.SerializeToUtf8Bytes(introduction, AuditJson.Default.AuditIntroduction), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Adds a segment behind <paramref name="after"/>, in one create.</summary>
    /// <param name="signer">The writer.</param>
    /// <param name="after">The writer's newest segment; <see cref="AuditHead.Before"/> for the first.</param>
    /// <param name="lines">Entries, each one line without its end.</param>
    /// <param name="heads">Newest segments of other writers.</param>
    /// <param name="host">The machine.</param>
    /// <param name="at">The time.</param>
    /// <param name="cancellationToken">Stops before the segment is created.</param>
    /// <returns>The new head; null if there is a segment of that number already, and this one was not made.</returns>
    public async ValueTask<AuditHead?> AppendAsync(
        AuditSigner signer, AuditHead after, IReadOnlyList<ReadOnlyMemory<byte>> lines, IReadOnlyList<AuditHead> heads, string host,
        DateTimeOffset at, CancellationToken cancellationToken)
    {
        var body = AuditSegment.JoinLines(lines);
        if (body.Length > MaximumBody) throw new ArgumentException($"A segment's entries have at most {MaximumBody} bytes.", nameof(lines));
        var statement = JsonSerializer.SerializeToUtf8Bytes(
            new AuditStatement
            {
                Magic = AuditStatement.ExpectedMagic,
                Version = AuditStatement.ExpectedVersion,
                Repository = _repository,
                Writer = signer.Writer,
                Key = signer.PublicKey,
                Sequence = after.Sequence + 1,
                Previous = after.Hash,
                SealedAt = at,
                Host = host,
                Entries = lines.Count,
                Body = Convert.ToHexStringLower(SHA256.HashData(body)),
                Heads = heads,
            },
            AuditJson.Default.AuditStatement);
        byte[] header = [.. statement, .. signer.Sign(statement)];
        var name = AuditNames.SegmentOf(signer.Writer, after.Sequence + 1);
        return await _sealed.CreateAsync(SealedKind.AuditSegment, name, header, body, cancellationToken).ConfigureAwait(false)
            ? new AuditHead(signer.Writer, after.Sequence + 1, Convert.ToHexStringLower(SHA256.HashData(header)))
            : null;
    }

    /// <summary>A segment with its entries, or null if there is none of that number.</summary>
    /// <exception cref="DamageException">It is not what the writer made under this name.</exception>
    public async ValueTask<AuditSegment?> ReadAsync(string writer, long sequence, CancellationToken cancellationToken)
    {
        var name = AuditNames.SegmentOf(writer, sequence);
        if (await _sealed.ReadAsync(SealedKind.AuditSegment, name, cancellationToken).ConfigureAwait(false) is not { } content) return null;
        return Checked(name, () => AuditSegment.Read(name, _repository, writer, sequence, content.Header).With(content.Body) with
        {
            IsOfWriteOnlyHost = EpochKinds.IsWriter(content.Epoch),
        });
    }

    /// <summary>A segment without its entries, or null if there is none of that number.</summary>
    /// <exception cref="DamageException">It is not what the writer made under this name.</exception>
    public async ValueTask<AuditSegment?> ReadHeaderAsync(string writer, long sequence, CancellationToken cancellationToken)
    {
        var name = AuditNames.SegmentOf(writer, sequence);
        return await _sealed.ReadHeaderAsync(SealedKind.AuditSegment, name, cancellationToken).ConfigureAwait(false) is { } header
            ? Checked(name, () => AuditSegment.Read(name, _repository, writer, sequence, header))
            : null;
    }

    /// <summary>Whether there is a segment of that number, whatever it is.</summary>
    public async ValueTask<bool> ExistsAsync(string writer, long sequence, CancellationToken cancellationToken) =>
        await _store.FindAsync(AuditNames.SegmentOf(writer, sequence), cancellationToken).ConfigureAwait(false) is not null;

    /// <summary>The record of a writer, or null if there is none.</summary>
    /// <exception cref="DamageException">It is not one, or nobody who held the repository's keys vouched for it.</exception>
    public async ValueTask<AuditIntroduction?> FindWriterAsync(string writer, CancellationToken cancellationToken)
    {
        var name = AuditNames.WriterOf(writer);
        if (await _sealed.ReadAsync(SealedKind.AuditWriter, name, cancellationToken).ConfigureAwait(false) is not { } content) return null;
        return Checked(name, () =>
        {
            AuditIntroduction? introduction;
            try
            {
                introduction = JsonSerializer.Deserialize(content.Body, AuditJson.Default.AuditIntroduction);
            }
            catch (JsonException e)
            {
                throw new InvalidDataException("it is not the record of a writer", e);
            }

            if (introduction is null || introduction.Writer != writer || AuditSigner.WriterOf(introduction.Key) != writer)
                throw new InvalidDataException("it is the record of another writer");
            return CryptographicOperations.FixedTimeEquals(introduction.Mac, MacOf(writer, introduction.Key))
                ? introduction
                : throw new InvalidDataException("the repository's key does not vouch for it");
        });
    }

    /// <summary>Ids of the writers that have a record, in order.</summary>
    public IAsyncEnumerable<string> ListWritersAsync(CancellationToken cancellationToken) =>
        _store.ListAsync(AuditNames.Writers, cancellationToken).Select(i => i.Name[AuditNames.Writers.Length..]).Where(w => AuditNames.IsWriter(w));

    /// <summary>Ids of the writers that have segments, in order.</summary>
    public async IAsyncEnumerable<string> ListChainsAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var last = "";
        await foreach (var info in _store.ListAsync(AuditNames.Segments, cancellationToken).ConfigureAwait(false))
        {
            if (!AuditNames.TryParse(info.Name, out var writer, out _) || writer == last) continue;
            yield return last = writer;
        }
    }

    /// <summary>Numbers of a writer's segments that are there, in order.</summary>
    public async IAsyncEnumerable<long> ListAsync(string writer, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var info in _store.ListAsync(AuditNames.SegmentsOf(writer), cancellationToken).ConfigureAwait(false))
            if (AuditNames.TryParse(info.Name, out _, out var sequence)) yield return sequence;
    }

    /// <summary>All names of the log, in order; what is no writer and no segment too.</summary>
    internal IAsyncEnumerable<string> ListNamesAsync(CancellationToken cancellationToken) =>
        _store.ListAsync(AuditNames.Prefix, cancellationToken).Select(i => i.Name);

    private byte[] MacOf(string writer, byte[] key) => HMACSHA256.HashData(
        _keys.ConfigKey, new AssociatedData("audit writer", 1, _repository, AuditNames.WriterOf(writer)).Add(key).ToArray());

    private static T Checked<T>(string name, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (InvalidDataException e)
        {
            throw new DamageException(name, $"The object {name} is not what was written: {e.Message}.", e);
        }
    }
}
