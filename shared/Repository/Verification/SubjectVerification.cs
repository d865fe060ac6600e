using FunctionsBackup.Repository.Subjects;

namespace FunctionsBackup.Repository.Verification;

/// <summary>Looks whether the keys of data subjects are there. One that was destroyed on purpose is no defect.</summary>
internal sealed class SubjectVerification(BackupRepository repository)
{
    private const string Mend = "fbackup repository repair";

    private readonly Dictionary<SubjectRef, string?> _problems = [];
    private readonly Dictionary<SubjectRef, SortedSet<string>> _touched = [];

    /// <summary>One for each key that is missing or damaged, with the recovery points that hold what it sealed.</summary>
    public IEnumerable<Defect> Defects => _touched.Select(t => new Defect(t.Key.KeyName, _problems[t.Key]!, [.. t.Value], Mend));

    /// <summary>False: what the key sealed is lost.</summary>
    public async ValueTask<bool> HasAsync(SubjectRef subject, CancellationToken cancellationToken)
    {
        if (!_problems.TryGetValue(subject, out var problem)) _problems.Add(subject, problem = await FindProblemAsync(subject, cancellationToken).ConfigureAwait(false));
        return problem is null;
    }

    public void Note(SubjectRef subject, string snapshotId)
    {
        if (!_touched.TryGetValue(subject, out var its)) _touched.Add(subject, its = new(StringComparer.Ordinal));
        its.Add(snapshotId);
    }

    private async ValueTask<string?> FindProblemAsync(SubjectRef subject, CancellationToken cancellationToken)
    {
        try
        {
            return await repository.Subjects.FindAsync(subject, cancellationToken).ConfigureAwait(false) is { Key: null, ErasedAt: null }
                ? $"{subject.KeyName} is missing although nobody destroyed it, so what it sealed cannot be read; repair puts it back from a replica."
                : null;
        }
        catch (DamageException e)
        {
            return e.Message;
        }
    }
}
