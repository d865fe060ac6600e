using System.Runtime.CompilerServices;
using System.Text.Json;
using FunctionsBackup.Repository.Sealing;
using FunctionsBackup.Repository.Snapshots;
using FunctionsBackup.Storage;
using FunctionsBackup.Storage.Locks;

namespace FunctionsBackup.Repository.Witnesses;

/// <summary>
/// Witnesses of the objects whose absence would otherwise look like a removal: <c>witness/NAME</c> holds a sealed copy of the record or pin
/// NAME. A witness is made after its object and removed before it, so one without its object means that the object was lost; and the copy
/// puts it back. An object without a witness was written by an older program, or its writer or remover was interrupted: that is no damage.
/// </summary>
internal sealed class WitnessStore(IObjectStore store, SealedObjects sealedObjects)
{
    public const string Prefix = "witness/";

    /// <summary>Where witnessed objects lie, and what they are.</summary>
    private static readonly (string Prefix, SealedKind Kind)[] Kinds = [("snapshots/", SealedKind.Snapshot), ("pins/", SealedKind.Pin)];

    public static string NameOf(string name) => Prefix + name;

    /// <summary>Makes the witness of an object that was created just now, or found without one.</summary>
    public async ValueTask AddAsync(string name, ReadOnlyMemory<byte> header, ReadOnlyMemory<byte> body, CancellationToken cancellationToken)
    {
        var witness = NameOf(name);
        if (!await sealedObjects.CreateAsync(SealedKind.Witness, witness, header, body, cancellationToken).ConfigureAwait(false)) return;
        // Whoever removed the object meanwhile may have looked for a witness before this one was there.
        if (await store.FindAsync(name, CancellationToken.None).ConfigureAwait(false) is null)
            await store.DeleteOrHideAsync(witness, CancellationToken.None).ConfigureAwait(false);
    }

    /// <summary>Whether the object or its witness is there.</summary>
    public async ValueTask<bool> IsKnownAsync(string name, CancellationToken cancellationToken) =>
        await store.FindAsync(name, cancellationToken).ConfigureAwait(false) is not null
        || await store.FindAsync(NameOf(name), cancellationToken).ConfigureAwait(false) is not null;

    /// <summary>Removes an object: first its witness, so that an interruption leaves an object without one, and not the reverse.</summary>
    /// <returns>True if either was there.</returns>
    /// <exception cref="ObjectLockedException">Either is locked; nothing was removed.</exception>
    public async ValueTask<bool> RemoveAsync(string name, CancellationToken cancellationToken)
    {
        if (store is ILockingStore { Lock: not null } locking && await locking.FindLockAsync(name, cancellationToken).ConfigureAwait(false) is { } locked)
            throw new ObjectLockedException(name, locked.Until); // before its witness goes
        var witnessed = await store.DeleteAsync(NameOf(name), cancellationToken).ConfigureAwait(false);
        var there = await store.DeleteAsync(name, cancellationToken).ConfigureAwait(false);
        // One that was made between the two.
        await store.DeleteAsync(NameOf(name), CancellationToken.None).ConfigureAwait(false);
        return there || witnessed;
    }

    /// <summary>The same of what must not be found any more, locked or not.</summary>
    public async ValueTask TakeBackAsync(string name, CancellationToken cancellationToken)
    {
        await store.DeleteOrHideAsync(NameOf(name), cancellationToken).ConfigureAwait(false);
        await store.DeleteOrHideAsync(name, cancellationToken).ConfigureAwait(false);
        await store.DeleteOrHideAsync(NameOf(name), CancellationToken.None).ConfigureAwait(false);
    }

    /// <summary>Names of the objects below <paramref name="prefix"/> that have a witness, in order, whether they are there or not.</summary>
    public IAsyncEnumerable<string> ListAsync(string prefix, CancellationToken cancellationToken) =>
        store.ListAsync(NameOf(prefix), cancellationToken).Select(i => i.Name[Prefix.Length..]);

    /// <summary>Names of the objects that were lost: witnessed, never removed, and not there.</summary>
    public async IAsyncEnumerable<string> FindLostAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (var (prefix, _) in Kinds)
        {
            var witnessed = await ListAsync(prefix, cancellationToken).ToListAsync(cancellationToken).ConfigureAwait(false);
            var there = await store.ListAsync(prefix, cancellationToken).Select(i => i.Name).ToHashSetAsync(null, cancellationToken)
                .ConfigureAwait(false);
            foreach (var name in witnessed.Where(n => !there.Contains(n)))
            {
                // Removed while we looked? Then its witness went first.
                if (await store.FindAsync(name, cancellationToken).ConfigureAwait(false) is not null) continue;
                if (await store.FindAsync(NameOf(name), cancellationToken).ConfigureAwait(false) is not null) yield return name;
            }
        }
    }

    /// <summary>Names of the objects that have no witness.</summary>
    public async IAsyncEnumerable<string> FindUnwitnessedAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (var (prefix, _) in Kinds)
        {
            var there = await store.ListAsync(prefix, cancellationToken).Select(i => i.Name).ToListAsync(cancellationToken).ConfigureAwait(false);
            var witnessed = await ListAsync(prefix, cancellationToken).ToHashSetAsync(null, cancellationToken).ConfigureAwait(false);
            foreach (var name in there.Where(n => !witnessed.Contains(n))) yield return name;
        }
    }

    /// <summary>Makes the witnesses that are missing. Objects that cannot be read get none.</summary>
    public async ValueTask AdoptAsync(CancellationToken cancellationToken)
    {
        var names = await FindUnwitnessedAsync(cancellationToken).ToListAsync(cancellationToken).ConfigureAwait(false);
        foreach (var name in names)
            if (await TryReadAsync(KindOf(name), name, cancellationToken).ConfigureAwait(false) is { } content)
                await AddAsync(name, content.Header, content.Body, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Puts lost and damaged objects back from their copies, and renews damaged copies of good objects.</summary>
    /// <returns>Names of objects that were put back, and of those that are lost for good: the latter's witnesses are gone too.</returns>
    public async ValueTask<(IReadOnlyList<string> PutBack, IReadOnlyList<string> Lost)> MendAsync(CancellationToken cancellationToken)
    {
        List<string> putBack = [], lost = [];
        foreach (var (prefix, kind) in Kinds)
            foreach (var name in await ListAsync(prefix, cancellationToken).ToListAsync(cancellationToken).ConfigureAwait(false))
            {
                var copy = await TryReadAsync(SealedKind.Witness, NameOf(name), cancellationToken).ConfigureAwait(false);
                var there = await store.FindAsync(name, cancellationToken).ConfigureAwait(false) is not null;
                if (there && await TryReadAsync(kind, name, cancellationToken).ConfigureAwait(false) is not null)
                {
                    if (copy is null) await store.DeleteOrHideAsync(NameOf(name), cancellationToken).ConfigureAwait(false); // made anew below
                    continue;
                }

                if (copy is not null)
                {
                    // Killed in between, the record is lost and its copy still there: the next repair goes on.
                    if (there) await store.DeleteOrHideAsync(name, cancellationToken).ConfigureAwait(false);
                    await sealedObjects.CreateAsync(kind, name, copy.Header, copy.Body, cancellationToken).ConfigureAwait(false);
                    putBack.Add(name);
                }
                else if (!there && await store.DeleteOrHideAsync(NameOf(name), cancellationToken).ConfigureAwait(false))
                {
                    lost.Add(name); // false: removed by somebody else meanwhile
                }
            }

        await AdoptAsync(cancellationToken).ConfigureAwait(false);
        return (putBack, lost);
    }

    private static SealedKind KindOf(string name) => Kinds.First(k => name.StartsWith(k.Prefix, StringComparison.Ordinal)).Kind;

    private async ValueTask<SealedContent?> TryReadAsync(SealedKind kind, string name, CancellationToken cancellationToken)
    {
        try
        {
            if (await sealedObjects.ReadAsync(kind, name, cancellationToken).ConfigureAwait(false) is not { } content) return null;
            return sealedObjects.WriterOf(content) is { } writer ? SignedBy(writer, content) : content;
        }
        catch (Exception e) when (e is DamageException or JsonException)
        {
            return null; // verification names it
        }
    }

    /// <summary>Sealed anew, a record would no longer say that a write-only writer made it; so its content does.</summary>
    private static SealedContent? SignedBy(string writer, SealedContent content) =>
        JsonSerializer.Deserialize(content.Body, SnapshotJson.Default.Snapshot) is { } snapshot
            ? content with { Body = JsonSerializer.SerializeToUtf8Bytes(snapshot with { Writer = writer }, SnapshotJson.Default.Snapshot) }
            : null;
}
