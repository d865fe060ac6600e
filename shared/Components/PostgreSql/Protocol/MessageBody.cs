using System.Buffers.Binary;
using System.Text;

namespace FunctionsBackup.Components.PostgreSql.Protocol;

/// <summary>Takes a message's body apart, checking every length against what is there.</summary>
internal ref struct MessageBody(ReadOnlySpan<byte> body)
{
    private ReadOnlySpan<byte> _rest = body;

    public readonly bool IsEmpty => _rest.IsEmpty;

    public byte Byte() => Bytes(1)[0];

    public short Int16() => BinaryPrimitives.ReadInt16BigEndian(Bytes(2));

    public int Int32() => BinaryPrimitives.ReadInt32BigEndian(Bytes(4));

    public long Int64() => BinaryPrimitives.ReadInt64BigEndian(Bytes(8));

    public ReadOnlySpan<byte> Bytes(int count)
    {
        if (count < 0 || count > _rest.Length) throw PostgresProtocolException.Violation("The server sent a message that ends too early.");
        var bytes = _rest[..count];
        _rest = _rest[count..];
        return bytes;
    }

    /// <summary>UTF-8 up to a zero byte.</summary>
    public string Text()
    {
        var end = _rest.IndexOf((byte)0);
        if (end < 0) throw PostgresProtocolException.Violation("The server sent text without an end.");
        var text = Encoding.UTF8.GetString(_rest[..end]);
        _rest = _rest[(end + 1)..];
        return text;
    }

    public string Rest() => Encoding.UTF8.GetString(Bytes(_rest.Length));

    /// <summary>ErrorResponse and NoticeResponse: fields of a letter and text, ended by a zero byte (PostgreSQL manual, 55.8).</summary>
    public PostgresProtocolException Error()
    {
        string severity = "ERROR", sqlState = "XX000", message = "The server reported an error without saying which.";
        string? detail = null, hint = null;
        for (var field = Byte(); field != 0; field = Byte())
        {
            var value = Text();
            switch ((char)field)
            {
                case 'S' when severity == "ERROR": severity = value; break;
                case 'V': severity = value; break;
                case 'C': sqlState = value; break;
                case 'M': message = value; break;
                case 'D': detail = value; break;
                case 'H': hint = value; break;
                default: break;
            }
        }

        if (detail is not null) message += $" ({detail})";
        if (hint is not null) message += $" Hint: {hint}";
        return new PostgresProtocolException(severity, sqlState, message);
    }
}
