namespace FunctionsBackup.Repository.Retention;

/// <summary>The newest so many sound full backups and everything newer than the oldest of them.</summary>
internal sealed class FullBackupsRule(int count) : RetentionRule
{
    public override void Apply(IReadOnlyList<RetentionCandidate> newestFirst, IReadOnlyDictionary<RetentionCandidate, Verdict> verdicts)
    {
        var number = 0;
        RetentionCandidate? oldest = null;
        foreach (var candidate in newestFirst)
        {
            var isFull = candidate.Kind == "full";
            if (oldest is not null)
                verdicts[candidate].Remove(
                    isFull ? $"not among the newest {count} full backups" : $"older than the oldest full backup that is kept, {oldest.Id}");
            else if (!isFull || candidate.Damaged)
                verdicts[candidate].Keep($"newer than the oldest of the newest {count} full backups");
            else
            {
                verdicts[candidate].Keep($"full backup #{++number}");
                if (number == count) oldest = candidate;
            }
        }
    }
}
