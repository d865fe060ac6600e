namespace FunctionsBackup.Repository.Retention;

/// <summary>Gathers what the rules say of one recovery point.</summary>
internal sealed class Verdict
{
    private readonly List<string> _keep = [], _remove = [];

    public bool IsKept => _keep.Count > 0;

    /// <summary>Why it stays or, if nothing wants it, why not.</summary>
    public IReadOnlyList<string> Reasons => IsKept ? _keep : _remove;

    public void Keep(string reason) => _keep.Add(reason);

    public void Remove(string reason) => _remove.Add(reason);
}
