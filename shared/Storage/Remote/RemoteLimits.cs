namespace FunctionsBackup.Storage.Remote;

/// <summary>What a store over the network may use, and how long it tries.</summary>
public sealed record RemoteLimits
{
    /// <summary>Connections, and so requests in flight.</summary>
    public int Connections { get; init; } = 16;

    /// <summary>Longest time of one request, plus a second for each MiB that it carries.</summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Longest time of one operation with all its repetitions, plus a second for each MiB.</summary>
    public TimeSpan OperationTimeout { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>How often a request is sent at most.</summary>
    public int Attempts { get; init; } = 8;

    /// <summary>The wait before the first repetition; it doubles each time, with jitter.</summary>
    public TimeSpan FirstDelay { get; init; } = TimeSpan.FromMilliseconds(200);

    public TimeSpan LongestDelay { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>Larger objects are sent in parts, bytes.</summary>
    public int SinglePutLimit { get; init; } = 32 << 20;

    /// <summary>Bytes of a part, 5 MiB at least (S3).</summary>
    public int PartSize { get; init; } = 16 << 20;

    /// <summary>Parts of one object that are sent at once.</summary>
    public int PartsAtOnce { get; init; } = 4;

    /// <summary>Objects per page of a listing; null: the service's own.</summary>
    public int? ListPageSize { get; init; }
}
