namespace FunctionsBackup.Repository.Contents;

/// <summary>Bytes to be stored, pulled one buffer at a time.</summary>
public interface IContentSource
{
    /// <summary>
    /// Fills the start of <paramref name="buffer"/> with the next bytes, or reports a hole that begins here.
    /// </summary>
    /// <returns>
    /// <c>Bytes &gt; 0</c>: that many bytes were written to the buffer (short reads are fine). <c>HoleBytes &gt; 0</c> (with Bytes 0): that
    /// many zero bytes follow and take no space. Both 0: the end.
    /// </returns>
    ValueTask<ContentRun> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken);
}

/// <summary>What one read gave; see <see cref="IContentSource.ReadAsync"/>.</summary>
public readonly record struct ContentRun(int Bytes, long HoleBytes = 0);
