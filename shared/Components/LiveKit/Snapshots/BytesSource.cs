using FunctionsBackup.Repository.Contents;

namespace FunctionsBackup.Components.LiveKit.Snapshots;

/// <summary>Bytes that are in memory.</summary>
internal sealed class BytesSource(ReadOnlyMemory<byte> bytes) : IContentSource
{
    private ReadOnlyMemory<byte> _rest = bytes;

    public ValueTask<ContentRun> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        var length = Math.Min(buffer.Length, _rest.Length);
        _rest[..length].CopyTo(buffer);
        _rest = _rest[length..];
        return new(new ContentRun(length));
    }
}
