using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace FunctionsBackup.Components.PostgreSql.Protocol;

/// <summary>Builds and sends one message at a time. Text is UTF-8; a zero byte within it would end it early and is refused.</summary>
internal sealed class MessageWriter(Stream stream)
{
    private const int ProtocolVersion3 = 3 << 16;

    private readonly ArrayBufferWriter<byte> _message = new(1024);

    /// <summary>StartupMessage: has no type byte.</summary>
    public ValueTask StartupAsync(IReadOnlyList<(string Name, string Value)> parameters, CancellationToken cancellationToken)
    {
        Begin(type: null);
        Int32(ProtocolVersion3);
        foreach (var (name, value) in parameters)
        {
            Text(name);
            Text(value);
        }

        Byte(0);
        return SendAsync(cancellationToken);
    }

    public ValueTask QueryAsync(string command, CancellationToken cancellationToken)
    {
        Begin((byte)'Q');
        Text(command);
        return SendAsync(cancellationToken);
    }

    /// <summary>PasswordMessage, also the answer to an MD5 challenge.</summary>
    public ValueTask PasswordAsync(string password, CancellationToken cancellationToken)
    {
        Begin((byte)'p');
        Text(password);
        return SendAsync(cancellationToken);
    }

    public ValueTask SaslInitialResponseAsync(string mechanism, string response, CancellationToken cancellationToken)
    {
        Begin((byte)'p');
        Text(mechanism);
        var bytes = Encoding.UTF8.GetBytes(response);
        Int32(bytes.Length);
        _message.Write(bytes);
        return SendAsync(cancellationToken);
    }

    public ValueTask SaslResponseAsync(string response, CancellationToken cancellationToken)
    {
        Begin((byte)'p');
        _message.Write(Encoding.UTF8.GetBytes(response));
        return SendAsync(cancellationToken);
    }

    public ValueTask CopyDataAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        Begin((byte)'d');
        _message.Write(data.Span);
        return SendAsync(cancellationToken);
    }

    public ValueTask CopyDoneAsync(CancellationToken cancellationToken)
    {
        Begin((byte)'c');
        return SendAsync(cancellationToken);
    }

    public ValueTask TerminateAsync(CancellationToken cancellationToken)
    {
        Begin((byte)'X');
        return SendAsync(cancellationToken);
    }

    private int _lengthAt;

    private void Begin(byte? type)
    {
        _message.Clear();
        if (type is { } value) Byte(value);
        _lengthAt = _message.WrittenCount;
        Int32(0);
    }

    private async ValueTask SendAsync(CancellationToken cancellationToken)
    {
        var bytes = System.Runtime.InteropServices.MemoryMarshal.AsMemory(_message.WrittenMemory);
        BinaryPrimitives.WriteInt32BigEndian(bytes.Span[_lengthAt..], bytes.Length - _lengthAt);
        try
        {
            await stream.WriteAsync(bytes, cancellationToken);
            await stream.FlushAsync(cancellationToken);
        }
        catch (IOException exception)
        {
            throw PostgresProtocolException.Lost($"The connection to the server was lost: {exception.Message}", exception);
        }
        finally
        {
            // What was sent may have been a password.
            bytes.Span.Clear();
        }
    }

    private void Byte(byte value) => _message.Write([value]);

    private void Int32(int value)
    {
        BinaryPrimitives.WriteInt32BigEndian(_message.GetSpan(4), value);
        _message.Advance(4);
    }

    private void Text(string text)
    {
        if (text.Contains('\0', StringComparison.Ordinal)) throw new ArgumentException("Text sent to the server must not hold a zero character.");
        _message.Write(Encoding.UTF8.GetBytes(text));
        Byte(0);
    }
}
