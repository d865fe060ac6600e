using System.Security.Cryptography;
using FunctionsBackup.Components.PostgreSql.Wal;
using FunctionsBackup.Components.PostgreSql.Wal.Archiving;
using FunctionsBackup.Repository.Crypto;
using FunctionsBackup.Repository.Keys;
using FunctionsBackup.Repository.Sealing;
using FunctionsBackup.Tests.Conformance;

namespace FunctionsBackup.Tests.Components.PostgreSql.Wal;

/// <summary>An archive in memory, sealed as in a repository.</summary>
internal sealed class TestArchive : IDisposable
{
    private readonly KeyRing _keys;
    private readonly SealedObjects _objects;

    public TestArchive(string systemIdentifier)
    {
        using var secret = SecretBytes.Copy(SHA256.HashData("repository"u8));
        using var key = SecretBytes.Copy(SHA256.HashData("data"u8));
        _keys = new KeyRing(secret, new Dictionary<uint, SecretBytes> { [1] = key });
        _objects = new SealedObjects(Store, _keys, "0123456789abcdef0123456789abcdef");
        Archive = Of(systemIdentifier);
    }

    public InMemoryObjectStore Store { get; } = new();

    public WalArchive Archive { get; }

    /// <summary>How often the archive was opened through <see cref="Opener"/>.</summary>
    public int Opened { get; private set; }

    public WalArchiveOpener Opener => (system, _) =>
    {
        Opened++;
        return ValueTask.FromResult(Of(system));
    };

    public WalArchive Of(string systemIdentifier) => new(_objects, Store, systemIdentifier);

    public string Name(WalSegmentName name) => $"wal/{Archive.SystemIdentifier}/{name.Timeline:X8}/{name}";

    public void Dispose() => _keys.Dispose();
}
