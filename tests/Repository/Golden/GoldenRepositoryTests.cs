using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Crypto;
using FunctionsBackup.Repository.Keys;
using FunctionsBackup.Repository.Verification;
using FunctionsBackup.Storage.FileSystem;
using FunctionsBackup.Tests.Conformance;
using FunctionsBackup.Tests.Repository.Sessions;

namespace FunctionsBackup.Tests.Repository.Golden;

/// <summary>
/// Repositories that earlier versions wrote, restored for ever. Each folder <c>vN-…</c> beside this file is one, written by the version of
/// that format and never changed; its <c>expected.txt</c> has a line <c>SNAPSHOT PATH SHA-256</c> per file.
/// </summary>
public sealed class GoldenRepositoryTests
{
    private const string Passphrase = "golden repository";

    public static TheoryData<string> Folders() => [.. Directory.GetDirectories(Root(), "v*").Select(d => Path.GetFileName(d)!).Order()];

    [Theory]
    [MemberData(nameof(Folders))]
    public async Task It_restores(string folder)
    {
        var root = Path.Combine(Root(), folder);
        await using var store = await LoadAsync(Path.Combine(root, "repository"));
        var unlocked = await KeyRingFactory.UnlockAsync(store, KeyCredential.Passphrase(Encoding.UTF8.GetBytes(Passphrase)), CancellationToken.None);
        await using var repository = await BackupRepository.OpenAsync(store, unlocked, new RepositoryOptions(), CancellationToken.None);
        var actual = new List<string>();
        await foreach (var snapshot in repository.ListSnapshotsAsync(null, CancellationToken.None))
            foreach (var (path, bytes) in await repository.RestoreAsync(snapshot))
                actual.Add($"{snapshot.Id} {path} {Convert.ToHexStringLower(SHA256.HashData(bytes))}");
        actual.ShouldBe(await File.ReadAllLinesAsync(Path.Combine(root, "expected.txt")));
        (await new RepositoryVerifier(repository).RunAsync(new VerificationOptions(VerificationLevel.Full), null, CancellationToken.None))
            .Defects.ShouldBeEmpty();
        await repository.BackUpAsync(new Dictionary<string, byte[]> { ["new"] = [1, 2, 3] });
    }

    /// <summary>Writes a golden repository of the present format where FBACKUP_WRITE_GOLDEN says; otherwise only shows that this still works.</summary>
    [Fact]
    public async Task One_of_the_present_format_can_be_written()
    {
        var wanted = Environment.GetEnvironmentVariable("FBACKUP_WRITE_GOLDEN");
        var root = wanted ?? Directory.CreateTempSubdirectory("golden").FullName;
        try
        {
            var folder = Path.Combine(root, "repository");
            FileSystemObjectStore.Initialize(folder);
            var store = new FileSystemObjectStore(folder);
            var passphrase = Encoding.UTF8.GetBytes(Passphrase);
            await new RepositoryInitializer(store, TimeProvider.System).CreateAsync(
                new InitRequest
                {
                    Passphrases = [new InitPassphrase(passphrase, "golden"), new InitPassphrase("another"u8.ToArray(), "second")],
                    Scrypt = new ScryptParameters(1024, 8, 1),
                },
                CancellationToken.None);
            var unlocked = await KeyRingFactory.UnlockAsync(store, KeyCredential.Passphrase(passphrase), CancellationToken.None);
            await using var repository = await BackupRepository.OpenAsync(store, unlocked, new RepositoryOptions(), CancellationToken.None);
            var files = new Dictionary<string, byte[]>
            {
                ["a/empty"] = [],
                ["a/small"] = "small"u8.ToArray(),
                ["b/random"] = RoundTripTests.Bytes(40_000, 1),
                ["b/text"] = [.. Enumerable.Range(0, 3_000_000).Select(i => (byte)('a' + (i / 11 % 26)))],
                ["c/zeros"] = new byte[5_000_000],
            };
            var lines = new List<string>();
            for (var i = 0; i < 2; i++)
            {
                var snapshot = await repository.BackUpAsync(files);
                lines.AddRange(files.OrderBy(f => f.Key, StringComparer.Ordinal)
                    .Select(f => $"{snapshot.Id} {f.Key} {Convert.ToHexStringLower(SHA256.HashData(f.Value))}"));
                files["a/small"] = "changed"u8.ToArray();
                await Task.Delay(TimeSpan.FromSeconds(1.1)); // ids sort by whole seconds
            }

            await File.WriteAllLinesAsync(Path.Combine(root, "expected.txt"), lines);
        }
        finally
        {
            if (wanted is null) Directory.Delete(root, true);
        }
    }

    private static async Task<InMemoryObjectStore> LoadAsync(string folder)
    {
        var store = new InMemoryObjectStore();
        foreach (var file in Directory.GetFiles(folder, "*", SearchOption.AllDirectories))
            await store.CreateAsync(Path.GetRelativePath(folder, file), await File.ReadAllBytesAsync(file), CancellationToken.None);
        return store;
    }

    private static string Root([CallerFilePath] string here = "") => Path.GetDirectoryName(here)!;
}
