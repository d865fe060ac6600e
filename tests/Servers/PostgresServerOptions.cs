namespace FunctionsBackup.Tests.Servers;

/// <summary>How a test server is made.</summary>
public sealed record PostgresServerOptions
{
    /// <summary>15 or 17 (others when installed where the distribution puts them).</summary>
    public int Version { get; init; } = 15;

    /// <summary>Page checksums (<c>initdb -k</c>).</summary>
    public bool Checksums { get; init; } = true;

    /// <summary>Keep fsync, full_page_writes and synchronous_commit on: for crash tests and honest measurements. Off: fast, unsafe.</summary>
    public bool Durable { get; init; }

    /// <summary>MiB per WAL segment: 1 makes tests that need many segments quick.</summary>
    public int WalSegmentMegabytes { get; init; } = 16;

    /// <summary>Directories 0750 and files 0640 instead of 0700 and 0600.</summary>
    public bool GroupAccess { get; init; }

    /// <summary>Further settings, as in postgresql.conf: name to value, unquoted.</summary>
    public IReadOnlyDictionary<string, string> Settings { get; init; } = new Dictionary<string, string>();

    /// <summary>Directory under which the server's own directory is made; it must be short and the server's user must reach it.</summary>
    public string Parent { get; init; } = "/tmp";
}

/// <summary>How a server is stopped (<c>pg_ctl stop -m</c>).</summary>
public enum PostgresStop
{
    /// <summary>Ends sessions, writes a shutdown checkpoint.</summary>
    Fast,

    /// <summary>Aborts: crash recovery at the next start.</summary>
    Immediate,

    /// <summary>SIGKILL to the server and all its children, as a power cut would be (what the kernel holds survives).</summary>
    Kill,
}
