using System.Globalization;
using System.Text;
using FunctionsBackup.Components.PostgreSql.Restore;

namespace FunctionsBackup.Components.PostgreSql.Verification;

/// <summary>
/// The configuration of a throw-away server: everything by which a copy could act on the world in its original's name is off, whatever the
/// original's own files say (they are not read at all).
/// </summary>
/// <remarks>
/// Off: the network (only a Unix socket in a private directory), archiving, replication and its slots, subscriptions (their workers would
/// take changes from the publisher), preloaded libraries (schedulers such as pg_cron run from there), event triggers (login triggers from 17
/// on), autovacuum. Durability is off as well: the copy will be removed. hot_standby is off, so that recovery does not ask for the
/// original's max_connections and the like; prepared transactions need their room all the same.
/// </remarks>
internal static class IsolatedConfiguration
{
    /// <summary>Settings of a session, stronger than those of a database or role: nothing is loaded into it either.</summary>
    public const string SessionOptions = "-c session_preload_libraries= -c local_preload_libraries= -c statement_timeout=0 -c lock_timeout=0 "
        + "-c idle_in_transaction_session_timeout=0 -c default_transaction_read_only=off";

    /// <summary>Writes <c>server.conf</c> and <c>hba.conf</c> and gives the path of the first.</summary>
    /// <param name="files">The scratch directory.</param>
    /// <param name="directory">Its path.</param>
    /// <param name="major">Major version.</param>
    /// <param name="required">Settings that recovery needs at least, from the control file.</param>
    /// <param name="preload">shared_preload_libraries.</param>
    /// <param name="cancellationToken">Stops.</param>
    public static async ValueTask<string> WriteAsync(
        DataDirectoryFiles files, string directory, int major, IReadOnlyDictionary<string, int> required, string preload, CancellationToken cancellationToken)
    {
        await files.WriteAsync("hba.conf", "local all all trust\n"u8.ToArray(), cancellationToken).ConfigureAwait(false);
        await files.WriteAsync("ident.conf", ReadOnlyMemory<byte>.Empty, cancellationToken).ConfigureAwait(false);
        var settings = new List<KeyValuePair<string, string>>
        {
            new("hba_file", Path.Combine(directory, "hba.conf")),
            new("ident_file", Path.Combine(directory, "ident.conf")),
            new("listen_addresses", ""),
            new("unix_socket_directories", directory),
            new("port", "5432"),
            new("ssl", "off"),
            new("archive_mode", "off"),
            new("max_logical_replication_workers", "0"),
            new("shared_preload_libraries", preload),
            new("autovacuum", "off"),
            new("hot_standby", "off"),
            new("wal_level", "replica"),
            new("fsync", "off"),
            new("full_page_writes", "off"),
            new("synchronous_commit", "off"),
            new("jit", "off"),
            new("huge_pages", "off"),
            new("shared_buffers", "128MB"),
            new("max_wal_size", "1GB"),
            new("restart_after_crash", "off"),
            new("logging_collector", "off"),
            new("log_destination", "stderr"),
            new("log_line_prefix", "%m [%p] "),
            new("cluster_name", "fbackup verification"),
        };
        if (major >= 17) settings.Add(new("event_triggers", "off"));
        foreach (var (name, value) in required) settings.Add(new(name, value.ToString(CultureInfo.InvariantCulture)));
        await files.WriteAsync("server.conf", AutoConf.Edit([], [], settings), cancellationToken).ConfigureAwait(false);
        return Path.Combine(directory, "server.conf");
    }

    /// <summary>The settings that pg_controldata tells of: prepared transactions in the WAL need as much room as they had.</summary>
    public static IReadOnlyDictionary<string, int> ParseControlData(string output)
    {
        var found = new Dictionary<string, int>();
        foreach (var line in output.Split('\n'))
        {
            var colon = line.IndexOf(" setting:", StringComparison.Ordinal);
            if (colon < 0 || !int.TryParse(line.AsSpan(colon + 9).Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var value)) continue;
            var name = line[..colon];
            if (name == "max_prepared_xacts") name = "max_prepared_transactions";
            if (name == "max_locks_per_xact") name = "max_locks_per_transaction";
            if (name is "max_connections" or "max_worker_processes" or "max_prepared_transactions" or "max_locks_per_transaction" or "max_wal_senders")
                found[name] = value;
        }

        return found;
    }

    /// <summary>The end of a log, for reports.</summary>
    public static string Tail(string file, int length = 4000)
    {
        if (!File.Exists(file)) return "";
        using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        if (stream.Length > length) stream.Seek(-length, SeekOrigin.End);
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return reader.ReadToEnd();
    }
}
