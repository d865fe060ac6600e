using FunctionsBackup.Components.Redis.Protocol;
using FunctionsBackup.Tests.Servers;

namespace FunctionsBackup.Tests.Components.Redis;

/// <summary>Keys of all types, in all their encodings.</summary>
internal static class RedisData
{
    public static async Task FillAsync(RedisServer server, int version)
    {
        await using var connection = await server.ConnectAsync();
        var sent = 0;
        foreach (var words in Commands(version))
        {
            await connection.SendAsync(words, CancellationToken.None);
            sent++;
        }

        await connection.FlushAsync(CancellationToken.None);
        for (var i = 0; i < sent; i++) await connection.ReceiveAsync(CancellationToken.None);
    }

    /// <summary>Small values whose length does not compress away, by number and generation.</summary>
    public static async Task FillManyAsync(RedisServer server, int from, int count, int generation)
    {
        await using var connection = await server.ConnectAsync();
        for (var done = 0; done < count; done += 5000)
        {
            var batch = Math.Min(5000, count - done);
            for (var i = 0; i < batch; i++)
            {
                var number = from + done + i;
                var value = new byte[100];
                new Random((number * 31) + generation).NextBytes(value);
                await connection.SendAsync(new RedisArgument[] { "SET", $"session:{number}", value }, CancellationToken.None);
            }

            await connection.FlushAsync(CancellationToken.None);
            for (var i = 0; i < batch; i++) await connection.ReceiveAsync(CancellationToken.None);
        }
    }

    private static IEnumerable<RedisArgument[]> Commands(int version)
    {
        yield return ["SET", "int8", "12"];
        yield return ["SET", "int16", "-1234"];
        yield return ["SET", "int32", "12345678"];
        yield return ["SET", "long", "1234567890123456789"];
        yield return ["SET", "123456", "a key that is a number"];
        yield return ["SET", "text", "some text"];
        yield return ["SET", "empty", ""];
        yield return ["SET", "compressible", new string('x', 5000)];
        yield return ["SET", new string('k', 500), "a long key"];
        yield return ["SET", new byte[] { 0, 255, 254, 13, 10, 42 }, new byte[] { 0, 1, 2, 255 }];
        yield return ["SET", "expiring", "soon", "PX", 3_600_000L];
        yield return ["SET", "large", TestBytes(300_000)];
        yield return ["SETBIT", "bits", 100_000L, 1L];
        yield return ["PFADD", "hyperloglog", "a", "b", "c"];
        yield return ["GEOADD", "geo", "13.361389", "38.115556", "Palermo"];
        yield return ["RPUSH", "list-small", "a", "1", "-70000"];
        yield return ["RPUSH", "list-large-element", new string('e', 20_000), "b"];
        foreach (var words in Many("RPUSH", "list-many", 3000, i => [$"element-{i}"])) yield return words;
        yield return ["SADD", "set-ints", "1", "2", "70000", "5000000000"];
        yield return ["SADD", "set-small", "a", "b", "3"];
        foreach (var words in Many("SADD", "set-many", 2000, i => [$"member-{i}"])) yield return words;
        yield return ["ZADD", "zset-small", "1", "a", "2.5", "b", "-inf", "c", "+inf", "d"];
        foreach (var words in Many("ZADD", "zset-many", 1000, i => [$"{i}.25", $"member-{i}"])) yield return words;
        yield return ["HSET", "hash-small", "a", "1", "b", "two"];
        foreach (var words in Many("HSET", "hash-many", 1000, i => [$"field-{i}", $"value-{i}"])) yield return words;
        foreach (var words in Many("HSET", "hash-large", 4000, i => [$"field-{i}", $"value-{i}-{new string((char)('a' + (i % 26)), 40)}"])) yield return words;
        for (var i = 1; i <= 300; i++) yield return ["XADD", "stream", $"{i}-1", "n", (long)i, "what", "an entry"];
        yield return ["XDEL", "stream", "7-1"];
        yield return ["XGROUP", "CREATE", "stream", "readers", "0"];
        yield return ["XREADGROUP", "GROUP", "readers", "one", "COUNT", 20L, "STREAMS", "stream", ">"];
        yield return ["XACK", "stream", "readers", "1-1", "2-1"];
        yield return ["XGROUP", "CREATE", "stream", "nobody", "$"];
        yield return ["XADD", "stream-empty", "1-1", "a", "b"];
        yield return ["XTRIM", "stream-empty", "MAXLEN", 0L];
        yield return ["SELECT", 3L];
        yield return ["SET", "text", "of another database"];
        yield return ["HSET", "hash-small", "x", "y"];
        yield return ["SELECT", 0L];
        if (version < 8) yield return ["FUNCTION", "LOAD", "#!lua name=mine\nredis.register_function('f', function() return 1 end)"];
        if (version < 8) yield break;
        yield return ["FUNCTION", "LOAD", "#!lua name=mine\nredis.register_function('f', function() return 1 end)"];
        yield return ["HSET", "hash-fields-expire", "a", "1", "b", "2"];
        yield return ["HEXPIRE", "hash-fields-expire", 3600L, "FIELDS", 1L, "a"];
        foreach (var words in Many("HSET", "hash-fields-expire-many", 1000, i => [$"f{i}", "v"])) yield return words;
        yield return ["HEXPIRE", "hash-fields-expire-many", 7200L, "FIELDS", 2L, "f1", "f2"];
    }

    public static byte[] TestBytes(int length)
    {
        var bytes = new byte[length];
        new Random(length).NextBytes(bytes);
        return bytes;
    }

    private static IEnumerable<RedisArgument[]> Many(string command, string key, int count, Func<int, string[]> words)
    {
        for (var i = 0; i < count; i += 500)
            yield return [command, key, .. Enumerable.Range(i, Math.Min(500, count - i)).SelectMany(words).Select(w => (RedisArgument)w)];
    }
}
