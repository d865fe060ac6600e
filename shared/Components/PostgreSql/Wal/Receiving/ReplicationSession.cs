using System.Globalization;
using System.Text;
using FunctionsBackup.Components.PostgreSql.Protocol;
using Npgsql;
using Npgsql.Replication;
using NpgsqlTypes;

namespace FunctionsBackup.Components.PostgreSql.Wal.Receiving;

/// <summary>One replication connection, and what the server said of itself on it.</summary>
internal sealed class ReplicationSession : IAsyncDisposable
{
    private static readonly TimeSpan MaximumStatusInterval = TimeSpan.FromSeconds(1);

    private ReplicationSession(
        PhysicalReplicationConnection connection, ReplicationSystemIdentification system, int segmentSize, string slotName, Lsn start)
    {
        (Connection, SegmentSize, SlotName, SlotStart) = (connection, segmentSize, slotName, start);
        (SystemIdentifier, Timeline, ServerEnd) = (system.SystemId, system.Timeline, new Lsn((ulong)system.XLogPos));
    }

    public PhysicalReplicationConnection Connection { get; }

    public string SystemIdentifier { get; }

    public uint Timeline { get; }

    public Lsn ServerEnd { get; }

    public int SegmentSize { get; }

    public string SlotName { get; }

    /// <summary>Where the slot keeps WAL from.</summary>
    public Lsn SlotStart { get; }

    /// <exception cref="NpgsqlException">The server is not there, or refuses.</exception>
    public static async ValueTask<ReplicationSession> OpenAsync(WalReceiverOptions options, CancellationToken cancellationToken)
    {
        var settings = PostgresConnectionString.Parse(options.ConnectionString);
        settings.ApplicationName ??= "fbackup wal receive";
        var interval = options.SealInterval < MaximumStatusInterval ? options.SealInterval : MaximumStatusInterval;
        var connection = new PhysicalReplicationConnection(settings.ConnectionString) { WalReceiverStatusInterval = interval };
        try
        {
            await connection.Open(cancellationToken);
            var system = await connection.IdentifySystem(cancellationToken);
            var size = ParseSize(await connection.Show("wal_segment_size", cancellationToken));
            var start = await FindSlotAsync(connection, options, cancellationToken);
            return new ReplicationSession(connection, system, size, options.SlotName, start ?? new Lsn((ulong)system.XLogPos));
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    public IAsyncEnumerator<XLogDataMessage> Stream(Lsn position, uint timeline, CancellationToken cancellationToken) =>
        Connection.StartReplication(
            new PhysicalReplicationSlot(SlotName), new NpgsqlLogSequenceNumber(position.Value), cancellationToken, timeline)
            .GetAsyncEnumerator(cancellationToken);

    /// <summary>
    /// Notes that the server need not keep WAL before this any longer; it is told within a second. Sending at once
    /// (SendStatusUpdate) is not safe: Npgsql 10.0 fails in it with a null reference when the stream ends at the same moment.
    /// </summary>
    public void Confirm(Lsn archived) => Connection.SetReplicationStatus(new NpgsqlLogSequenceNumber(archived.Value));

    /// <summary>
    /// A history file, by our own protocol client: Npgsql 10.0 expects the content as bytea and fails on PostgreSQL 15 and later, where it
    /// is text.
    /// </summary>
    /// <exception cref="PostgresProtocolException">The server has no such file.</exception>
    public static async ValueTask<byte[]> ReadHistoryAsync(WalReceiverOptions options, uint timeline, CancellationToken cancellationToken)
    {
        var endpoint = ServerEndpoint.From(options.ConnectionString);
        await using var connection = await Protocol.ReplicationConnection.OpenAsync(endpoint, cancellationToken);
        var command = string.Create(CultureInfo.InvariantCulture, $"TIMELINE_HISTORY {timeline}");
        return await connection.ExecuteAsync(command, cancellationToken) is [{ Rows: [[_, { } content]] }]
            ? Encoding.UTF8.GetBytes(content)
            : throw PostgresProtocolException.Violation("The server did not answer TIMELINE_HISTORY with one file.");
    }

    public ValueTask DisposeAsync() => Connection.DisposeAsync();

    /// <summary>The slot's restart_lsn, if the server can tell (15 and later); creates the slot if that is wanted.</summary>
    private static async ValueTask<Lsn?> FindSlotAsync(
        PhysicalReplicationConnection connection, WalReceiverOptions options, CancellationToken cancellationToken)
    {
        if (connection.PostgreSqlVersion.Major >= 15)
        {
            var slot = await connection.ReadReplicationSlot(options.SlotName, cancellationToken);
            if (slot is not null) return slot.RestartLsn is { } restart ? new Lsn((ulong)restart) : null;
        }

        if (!options.CreateSlot) return null;
        try
        {
            await connection.CreateReplicationSlot(options.SlotName, isTemporary: false, reserveWal: true, cancellationToken);
            if (connection.PostgreSqlVersion.Major < 15) return null;
            var created = await connection.ReadReplicationSlot(options.SlotName, cancellationToken);
            return created?.RestartLsn is { } reserved ? new Lsn((ulong)reserved) : null;
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.DuplicateObject)
        {
            // Before 15 a slot cannot be looked up on a replication connection.
        }

        return null;
    }

    /// <summary>SHOW prints sizes with the largest fitting unit: 16MB, 1GB.</summary>
    internal static int ParseSize(string text)
    {
        var digits = text.AsSpan().TrimEnd("kMGB");
        var factor = text[digits.Length..] switch { "B" => 1L, "kB" => 1L << 10, "MB" => 1L << 20, "GB" => 1L << 30, _ => 0L };
        return long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number <= 1024
            && Reading.WalVersion.IsSegmentSize(number * factor)
            ? (int)(number * factor)
            : throw new WalFormatException($"The server says that its WAL segments have '{text}', which is no segment size.");
    }
}
