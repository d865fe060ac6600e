namespace FunctionsBackup.Components.Estimates;

/// <summary>
/// The rates that estimates rest on until restores were measured (<see cref="RestoreEstimator"/>), for 2 cores and a repository in a local folder. They are set low: an estimate that is too long is a
/// nuisance, one that is too short is a broken promise.
/// </summary>
public static class RestoreRates
{
    /// <summary>Fetching, decrypting, decompressing, writing and syncing files.</summary>
    public const double FileBytesPerSecond = 150e6;

    /// <summary>Each file beside its bytes: create, owner, mode, times.</summary>
    public static readonly TimeSpan PerFile = TimeSpan.FromMicroseconds(250);

    /// <summary>Each request to the store, already divided by the requests in flight.</summary>
    public static readonly TimeSpan PerRequest = TimeSpan.FromMilliseconds(5);

    /// <summary>Fetching and replaying WAL, one process.</summary>
    public const double WalBytesPerSecond = 40e6;

    /// <summary>Starting the server, and the checkpoint that ends recovery.</summary>
    public static readonly TimeSpan Start = TimeSpan.FromSeconds(5);

    /// <summary>Bringing files back.</summary>
    public static TimeSpan Files(long files, long bytes, long requests) =>
        TimeSpan.FromSeconds(bytes / FileBytesPerSecond) + (PerFile * files) + (PerRequest * requests);

    /// <summary>Keys of Redis restored into a server, which is the limit: by bytes of their values.</summary>
    public const double KeyBytesPerSecond = 60e6;

    /// <summary>Rows of a logical backup copied into a server and indexed: by their bytes.</summary>
    public const double RowBytesPerSecond = 20e6;

    /// <summary>Bringing rows back into a server.</summary>
    public static TimeSpan Rows(long bytes) => TimeSpan.FromSeconds(5 + (bytes / RowBytesPerSecond));

    /// <summary>Bringing keys back into a server.</summary>
    public static TimeSpan Keys(long bytes) => TimeSpan.FromSeconds(1 + (bytes / KeyBytesPerSecond));

    /// <summary>Starting a server on them, and replaying WAL.</summary>
    public static TimeSpan Recovery(long walBytes) => TimeSpan.FromSeconds(walBytes / WalBytesPerSecond) + Start;
}
