using System.Buffers.Binary;
using FunctionsBackup.Components.Redis.Protocol;
using FunctionsBackup.Components.Redis.Rdb;

namespace FunctionsBackup.Components.Redis.Sources;

/// <summary>
/// Reads a server key by key (SCAN, DUMP, PTTL), where replication is not allowed. What is changed meanwhile may be in it or not: it is no point in time.
/// </summary>
internal sealed class KeyScan(RedisConnection connection)
{
    /// <summary>Keys that are asked for at once.</summary>
    private const int Batch = 256;

    /// <summary>Of the RDB, as the dumps of keys say.</summary>
    public int RdbVersion { get; private set; }

    /// <summary>Keys that vanished between their listing and their reading.</summary>
    public long Vanished { get; private set; }

    /// <summary>All keys of all databases, some perhaps more than once.</summary>
    /// <param name="facts">Which databases there are.</param>
    /// <param name="take">Takes a key; its value is whole.</param>
    /// <param name="cancellationToken">Stops.</param>
    public async ValueTask RunAsync(RedisServerFacts facts, Func<RdbRecord, CancellationToken, ValueTask> take, CancellationToken cancellationToken)
    {
        foreach (var database in facts.Databases.Keys)
        {
            if (!facts.IsCluster) await connection.CallAsync(cancellationToken, "SELECT", (long)database).ConfigureAwait(false);
            ReadOnlyMemory<byte> cursor = "0"u8.ToArray();
            do
            {
                var page = await connection.CallAsync(cancellationToken, "SCAN", cursor, "COUNT", (long)Batch).ConfigureAwait(false);
                if (page.Items is not [var next, { Kind: RedisReplyKind.Array } keys]) throw RedisException.Nonsense(connection.Server, "no page of keys");
                cursor = next.Bytes;
                await ReadAsync(database, keys.Items, take, cancellationToken).ConfigureAwait(false);
            }
            while (!cursor.Span.SequenceEqual("0"u8));
        }
    }

    /// <summary>Libraries of functions; none where the server has none, or does not show them.</summary>
    public async ValueTask<IReadOnlyList<byte[]>> ReadFunctionsAsync(CancellationToken cancellationToken)
    {
        await connection.SendAsync(new RedisArgument[] { "FUNCTION", "LIST", "WITHCODE" }, cancellationToken).ConfigureAwait(false);
        await connection.FlushAsync(cancellationToken).ConfigureAwait(false);
        var reply = await connection.TryReceiveAsync(cancellationToken).ConfigureAwait(false);
        var found = new List<byte[]>();
        foreach (var library in reply.Items)
            for (var i = 0; i + 1 < library.Items.Count; i += 2)
                if (library.Items[i].Text == "library_code") found.Add(library.Items[i + 1].Bytes.ToArray());
        return found;
    }

    private async ValueTask ReadAsync(
        int database, IReadOnlyList<RedisReply> keys, Func<RdbRecord, CancellationToken, ValueTask> take, CancellationToken cancellationToken)
    {
        // Few ahead at a time: values may be large.
        const int Ahead = 16;
        for (var begin = 0; begin < keys.Count; begin += Ahead)
        {
            var some = keys.Skip(begin).Take(Ahead).ToList();
            foreach (var key in some)
            {
                // The remaining time first: a key that is gone by then has no dump either, and an expiry that is set in between is not taken for the value.
                await connection.SendAsync(new RedisArgument[] { "PTTL", key.Bytes }, cancellationToken).ConfigureAwait(false);
                await connection.SendAsync(new RedisArgument[] { "DUMP", key.Bytes }, cancellationToken).ConfigureAwait(false);
            }

            await connection.SendAsync(new RedisArgument[] { "TIME" }, cancellationToken).ConfigureAwait(false);
            await connection.FlushAsync(cancellationToken).ConfigureAwait(false);
            var answers = new List<(RedisReply Ttl, RedisReply Dump)>();
            foreach (var _ in some)
                answers.Add((await connection.ReceiveAsync(cancellationToken).ConfigureAwait(false), await connection.ReceiveAsync(cancellationToken).ConfigureAwait(false)));
            var time = await connection.ReceiveAsync(cancellationToken).ConfigureAwait(false);
            if (time.Items is not [var seconds, var micros] || !long.TryParse(seconds.Text, out var s) || !long.TryParse(micros.Text, out var us))
                throw RedisException.Nonsense(connection.Server, "no time");
            for (var i = 0; i < some.Count; i++)
            {
                var (ttl, dump) = answers[i];
                if (dump.IsNil || ttl.Integer == -2)
                {
                    Vanished++;
                    continue;
                }

                await take(ToRecord(database, some[i].Bytes, ttl.Integer < 0 ? -1 : (s * 1000) + (us / 1000) + ttl.Integer, dump.Bytes), cancellationToken).ConfigureAwait(false);
            }
        }
    }

    /// <summary>A dump: type, value, version (2), checksum (8).</summary>
    private RdbRecord ToRecord(int database, ReadOnlyMemory<byte> key, long expiresAt, ReadOnlyMemory<byte> dump)
    {
        if (dump.Length < 11 || RdbCrc64.Append(0, dump.Span[..^8]) != BinaryPrimitives.ReadUInt64LittleEndian(dump.Span[^8..]))
            throw RedisException.Nonsense(connection.Server, "a damaged dump of a key");
        RdbVersion = Math.Max(RdbVersion, BinaryPrimitives.ReadUInt16LittleEndian(dump.Span[^10..]));
        var value = dump[1..^10];
        return new RdbRecord
        {
            Database = database, Key = key, Type = dump.Span[0], ExpiresAt = expiresAt, Value = value, ValueLength = value.Length, IsLarge = value.Length > RdbReader.InlineLimit,
        };
    }
}
