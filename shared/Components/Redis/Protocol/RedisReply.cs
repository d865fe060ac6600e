using System.Globalization;
using System.Text;

namespace FunctionsBackup.Components.Redis.Protocol;

/// <summary>What a reply is (RESP2).</summary>
public enum RedisReplyKind
{
    Nil,
    Simple,
    Integer,
    Bulk,
    Array,
}

/// <summary>One reply. Errors are thrown, unless they are in an array or were asked for.</summary>
public sealed record RedisReply(RedisReplyKind Kind)
{
    public static RedisReply Nil { get; } = new(RedisReplyKind.Nil);

    public ReadOnlyMemory<byte> Bytes { get; init; }

    public long Integer { get; init; }

    public IReadOnlyList<RedisReply> Items { get; init; } = [];

    /// <summary>Of an error: all of it; null: it is none.</summary>
    public string? Error { get; init; }

    public bool IsNil => Kind == RedisReplyKind.Nil;

    public string Text => Kind == RedisReplyKind.Integer ? Integer.ToString(CultureInfo.InvariantCulture) : Encoding.UTF8.GetString(Bytes.Span);
}

/// <summary>A word of a command: text or bytes.</summary>
public readonly record struct RedisArgument(ReadOnlyMemory<byte> Bytes)
{
    public static implicit operator RedisArgument(string text) => new(Encoding.UTF8.GetBytes(text));

    public static implicit operator RedisArgument(ReadOnlyMemory<byte> bytes) => new(bytes);

    public static implicit operator RedisArgument(byte[] bytes) => new(bytes);

    public static implicit operator RedisArgument(long number) => new(Encoding.ASCII.GetBytes(number.ToString(CultureInfo.InvariantCulture)));
}
