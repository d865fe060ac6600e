namespace FunctionsBackup.Storage.Remote;

/// <summary>A read of a range over as many attempts as it takes: what has arrived stays, the next attempt goes on from there.</summary>
internal sealed class RangedRead(long offset, Memory<byte> destination)
{
    /// <summary>Bytes that have arrived.</summary>
    public int Filled { get; private set; }

    /// <summary>First byte of the object that is still missing.</summary>
    public long Next => offset + Filled;

    /// <summary>Last byte of the range.</summary>
    public long Last => offset + destination.Length - 1;

    /// <summary>The tag of the object that the bytes so far came from; null before the first.</summary>
    public string? Tag { get; private set; }

    /// <summary>Forgets what has arrived.</summary>
    public void Restart()
    {
        Filled = 0;
        Tag = null;
    }

    /// <summary>Takes the body of one answer.</summary>
    /// <param name="body">The bytes from <see cref="Next"/> on.</param>
    /// <param name="length">How many the service says there are.</param>
    /// <param name="tag">Of the object.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>Bytes of the whole read.</returns>
    /// <exception cref="IOException">The body ended too early, or is longer than asked: the next attempt may do better.</exception>
    public async ValueTask<int> FillAsync(Stream body, long length, string? tag, CancellationToken cancellationToken)
    {
        if (length > destination.Length - Filled) throw new IOException("The answer has more bytes than were asked for.");
        Tag ??= string.IsNullOrEmpty(tag) ? null : tag;
        var end = Filled + (int)Math.Max(0, length);
        while (Filled < end)
        {
            var read = await body.ReadAsync(destination[Filled..end], cancellationToken).ConfigureAwait(false);
            if (read == 0) throw new IOException($"The answer ended after {Filled} of {end} bytes.");
            Filled += read;
        }

        return Filled;
    }
}
