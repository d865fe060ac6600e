using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace FunctionsBackup.Tests.Components.PostgreSql.Protocol;

/// <summary>
/// Answers one client as a scripted server: for what no installed server does, such as the base backups of versions 13 and 14, or lies.
/// </summary>
internal sealed class OldServer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly Task _serving;

    /// <param name="answers">What each command gets, by its first word.</param>
    public OldServer(IReadOnlyDictionary<string, byte[]> answers)
    {
        _listener.Start();
        _serving = ServeAsync(answers);
    }

    public string ConnectionString => $"Host=127.0.0.1;Port={((IPEndPoint)_listener.LocalEndpoint).Port};Username=u;SSL Mode=Disable";

    public List<string> Commands { get; } = [];

    public static byte[] Message(char type, params byte[][] body)
    {
        var bytes = body.SelectMany(part => part).ToArray();
        var message = new byte[5 + bytes.Length];
        message[0] = (byte)type;
        BinaryPrimitives.WriteInt32BigEndian(message.AsSpan(1), 4 + bytes.Length);
        bytes.CopyTo(message, 5);
        return message;
    }

    public static byte[] Join(params byte[][] messages) => [.. messages.SelectMany(message => message)];

    public static byte[] Result(params string?[][] rows)
    {
        var columns = rows.Length == 0 ? 0 : rows[0].Length;
        var description = Message('T', [Int16(columns), .. Enumerable.Range(0, columns).Select(i => (byte[])[.. Text($"c{i}"), .. new byte[18]])]);
        var data = rows.Select(row => Message('D', [Int16(columns), .. row.Select(Value)]));
        return Join([description, .. data, Message('C', Text("SELECT"))]);
    }

    public static byte[] Text(string text) => [.. Encoding.UTF8.GetBytes(text), 0];

    private static byte[] Value(string? text)
    {
        if (text is null) return [255, 255, 255, 255];
        var length = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(length, text.Length);
        return [.. length, .. Encoding.UTF8.GetBytes(text)];
    }

    private static byte[] Int16(int value) => [(byte)(value >> 8), (byte)value];

    private async Task ServeAsync(IReadOnlyDictionary<string, byte[]> answers)
    {
        using var client = await _listener.AcceptTcpClientAsync();
        await using var stream = client.GetStream();
        await ReadAsync(stream, 4, 4);
        await stream.WriteAsync(Join(Message('R', new byte[4]), Message('Z', "I"u8.ToArray())));
        while (true)
        {
            var type = new byte[1];
            if (await stream.ReadAsync(type) == 0 || type[0] == 'X') return;
            var command = Encoding.UTF8.GetString(await ReadAsync(stream, 4, 4)).TrimEnd('\0');
            Commands.Add(command);
            await stream.WriteAsync(answers[command.Split(' ')[0]]);
            await stream.WriteAsync(Message('Z', "I"u8.ToArray()));
        }
    }

    private static async Task<byte[]> ReadAsync(Stream stream, int lengthBytes, int counted)
    {
        var length = new byte[lengthBytes];
        await stream.ReadExactlyAsync(length);
        var body = new byte[BinaryPrimitives.ReadInt32BigEndian(length) - counted];
        await stream.ReadExactlyAsync(body);
        return body;
    }

    public async ValueTask DisposeAsync()
    {
        _listener.Stop();
        try
        {
            await _serving;
        }
        catch (Exception exception) when (exception is SocketException or IOException or ObjectDisposedException)
        {
            // The client left early, as some tests want.
        }
    }
}
