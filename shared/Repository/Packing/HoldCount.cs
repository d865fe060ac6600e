namespace FunctionsBackup.Repository.Packing;

/// <summary>
/// Counts who holds something that the last one to let go must finish. Holds are taken and let go by different threads at once, without a
/// lock: a count that was not atomic left packs unwritten for ever.
/// </summary>
internal sealed class HoldCount
{
    private int _count = 1;

    /// <summary>One more; the caller must be sure that somebody holds it.</summary>
    public void Take() => Interlocked.Increment(ref _count);

    /// <summary>One less; true for the last.</summary>
    public bool Release() => Interlocked.Decrement(ref _count) == 0;
}
