namespace FunctionsBackup.Storage;

/// <summary>
/// A store that has several copies of its objects. It answers with the next copy by itself where one is missing; that one is damaged, only
/// its reader can tell, and asks for the next one here.
/// </summary>
public interface ICopies
{
    /// <summary>The number of the copy of an object that is read now.</summary>
    int CopyOf(string name);

    /// <summary>From now on another copy of the object is read, if there is one.</summary>
    /// <param name="name">The object.</param>
    /// <param name="copy">The copy that was read, by <see cref="CopyOf"/> before it was.</param>
    /// <param name="problem">What is wrong with that copy, for people.</param>
    /// <param name="cancellationToken">Stops looking.</param>
    /// <returns>False: there is no other.</returns>
    ValueTask<bool> TryNextCopyAsync(string name, int copy, string problem, CancellationToken cancellationToken);
}
