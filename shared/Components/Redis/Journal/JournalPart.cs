using System.Globalization;
using System.Text.Json;

namespace FunctionsBackup.Components.Redis.Journal;

/// <summary>A stretch of a server's replication stream, as the name of its object says.</summary>
/// <param name="ReplicationId">Of the stream: 40 hex digits.</param>
/// <param name="Begin">Bytes of the stream before it.</param>
/// <param name="End">Bytes of the stream with it.</param>
/// <param name="ReceivedAt">When its last byte came.</param>
public sealed record JournalPart(string ReplicationId, long Begin, long End, DateTimeOffset ReceivedAt)
{
    private const int Digits = 20, TimeDigits = 13;

    /// <summary>Ordered by the offset below each id.</summary>
    internal string Name(string prefix) => string.Create(
        CultureInfo.InvariantCulture, $"{prefix}{ReplicationId}/{Begin:D20}-{End:D20}-{ReceivedAt.ToUnixTimeMilliseconds():D13}");

    /// <summary>Null: it is the name of something else.</summary>
    internal static JournalPart? Parse(string prefix, string name)
    {
        if (!name.StartsWith(prefix, StringComparison.Ordinal) || name[prefix.Length..].Split('/') is not [var id, var last] || !IsReplicationId(id)) return null;
        if (last.Split('-') is not [{ Length: Digits } first, { Length: Digits } second, { Length: TimeDigits } third]) return null;
        return TryNumber(first, out var begin) && TryNumber(second, out var end) && TryNumber(third, out var time) && begin < end
            ? new JournalPart(id, begin, end, DateTimeOffset.FromUnixTimeMilliseconds(time)) : null;
    }

    internal static bool IsReplicationId(string text) => text.Length == 40 && text.All(char.IsAsciiHexDigitLower);

    private static bool TryNumber(string text, out long number) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
}

/// <summary>The header of a part's object.</summary>
/// <param name="Times">Pairs: a time in Unix milliseconds, and how many bytes of the part had come by then; both only grow.</param>
/// <param name="Previous">The id that the stream had before this part, if the server got a new one just there (a failover); null: the same.</param>
internal sealed record JournalPartHeader(IReadOnlyList<long[]> Times, string? Previous)
{
    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web);

    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, Options);

    /// <summary>Null: it is none.</summary>
    public static JournalPartHeader? FromJson(ReadOnlySpan<byte> json, long length)
    {
        try
        {
            var header = JsonSerializer.Deserialize<JournalPartHeader>(json, Options);
            if (header?.Times is null || (header.Previous is { } id && !JournalPart.IsReplicationId(id))) return null;
            var (time, bytes) = (0L, 0L);
            foreach (var pair in header.Times)
            {
                if (pair is not [var at, var count] || at < time || count < bytes || count > length) return null;
                (time, bytes) = (at, count);
            }

            return header;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
