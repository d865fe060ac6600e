using System.Globalization;
using FunctionsBackup.Components.Redis.Protocol;

namespace FunctionsBackup.Components.Redis.Sources;

/// <summary>What a server says of itself (INFO).</summary>
public sealed class RedisServerFacts
{
    private readonly Dictionary<string, string> _fields = new(StringComparer.Ordinal);

    /// <summary>As <c>8.0.2</c>; of Valkey its own version.</summary>
    public string? Version => _fields.GetValueOrDefault("valkey_version") ?? _fields.GetValueOrDefault("redis_version");

    public bool IsReplica => _fields.GetValueOrDefault("role") == "slave";

    /// <summary>Of a replica: whether it follows its master.</summary>
    public bool HasMaster => _fields.GetValueOrDefault("master_link_status") == "up";

    /// <summary>Whether it is still reading its data.</summary>
    public bool IsLoading => _fields.GetValueOrDefault("loading") == "1";

    public bool IsCluster => _fields.GetValueOrDefault("cluster_enabled") == "1";

    public long UsedMemory => Number("used_memory");

    /// <summary>Null: not known.</summary>
    public string? ReplicationId => _fields.GetValueOrDefault("master_replid");

    public long ReplicationOffset => Number("master_repl_offset");

    /// <summary>Seconds since a replica heard of its master.</summary>
    public long MasterSilence => Number("master_last_io_seconds_ago");

    /// <summary>Databases that hold keys, with how many.</summary>
    public IReadOnlyDictionary<int, long> Databases { get; private set; } = new Dictionary<int, long>();

    public static async ValueTask<RedisServerFacts> AskAsync(RedisConnection connection, CancellationToken cancellationToken)
    {
        var facts = new RedisServerFacts();
        var databases = new SortedDictionary<int, long>();
        var text = (await connection.CallAsync(cancellationToken, "INFO").ConfigureAwait(false)).Text;
        foreach (var line in text.Split('\n'))
        {
            var parts = line.TrimEnd('\r').Split(':', 2);
            if (parts.Length < 2 || facts._fields.Count > 2000) continue;
            facts._fields[parts[0]] = parts[1];
            // db0:keys=3,expires=1,avg_ttl=0
            if (parts[0].StartsWith("db", StringComparison.Ordinal) && int.TryParse(parts[0].AsSpan(2), NumberStyles.None, CultureInfo.InvariantCulture, out var database)
                && parts[1].StartsWith("keys=", StringComparison.Ordinal) && long.TryParse(parts[1][5..].Split(',')[0], CultureInfo.InvariantCulture, out var keys))
                databases[database] = keys;
        }

        facts.Databases = databases;
        return facts;
    }

    /// <summary>
    /// Whether the server can still send its stream from behind an offset on (replication.c, masterTryPartialResynchronization): then it need not
    /// begin anew with all its data.
    /// </summary>
    /// <param name="replicationId">Of the stream; the one before the last failover is known, too.</param>
    /// <param name="offset">Bytes that are there already.</param>
    public bool CanContinue(string replicationId, long offset)
    {
        if (_fields.GetValueOrDefault("repl_backlog_active") != "1") return false;
        var isOfBefore = replicationId == _fields.GetValueOrDefault("master_replid2") && offset + 1 <= Number("second_repl_offset");
        var first = Number("repl_backlog_first_byte_offset");
        return (replicationId == ReplicationId || isOfBefore) && offset + 1 >= first && offset + 1 <= first + Number("repl_backlog_histlen");
    }

    private long Number(string name) =>
        long.TryParse(_fields.GetValueOrDefault(name), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? Math.Max(0, number) : 0;
}
