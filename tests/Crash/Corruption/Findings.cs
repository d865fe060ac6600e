using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Verification;
using FunctionsBackup.Storage;
using FunctionsBackup.Tests.Conformance;
using FunctionsBackup.Tests.Crash.Harness;
using FunctionsBackup.Tests.Crash.Host;

namespace FunctionsBackup.Tests.Crash.Corruption;

/// <summary>What a damaged repository says of itself, and what comes back from it.</summary>
/// <param name="Said">Everything that opening it and a full verification said: sentences, each with the object that it names.</param>
/// <param name="Wrong">Bytes that came back as if they were good, but are not.</param>
internal sealed record Findings(IReadOnlyList<string> Said, IReadOnlyList<string> Wrong)
{
    public static async Task<Findings> OfAsync(InMemoryObjectStore store, Sample sample)
    {
        var said = new List<string>();
        var wrong = new List<string>();
        try
        {
            await using (var repository = await Repositories.OpenAsync(store.Copy()))
                foreach (var (id, tree) in sample.RecoveryPoints)
                    await RestoreAsync(repository, id, tree, wrong);
            await using (var repository = await Repositories.OpenAsync(store.Copy()))
            {
                var report = await new RepositoryVerifier(repository).RunAsync(
                    new VerificationOptions(VerificationLevel.Full), null, CancellationToken.None);
                foreach (var defect in report.Defects)
                {
                    defect.Mend.ShouldNotBeNullOrWhiteSpace();
                    said.Add($"{defect.ObjectName}: {defect.Problem}");
                }

                said.AddRange(report.Notes);
            }
        }
        catch (Exception error) when (error is RepositoryException or StoreException)
        {
            said.Add($"{(error as DamageException)?.ObjectName} {error.GetType().Name}: {error.Message}");
        }

        return new Findings(said, wrong);
    }

    private static async Task RestoreAsync(BackupRepository repository, string id, SourceTree tree, List<string> wrong)
    {
        try
        {
            var found = await Observed.ReadAsync(repository, id);
            foreach (var (path, content) in found)
                if (!tree.Files.TryGetValue(path, out var right) || !right.AsSpan().SequenceEqual(content)) wrong.Add($"{path} of {id}");
            foreach (var path in tree.Files.Keys.Except(found.Keys)) wrong.Add($"{path} of {id} is silently missing");
        }
        catch (RepositoryException error)
        {
            // Refused, as it should be, and with a reason.
            error.Message.ShouldNotBeNullOrWhiteSpace();
        }
    }
}
