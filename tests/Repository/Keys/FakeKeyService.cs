using FunctionsBackup.Repository.Crypto;
using FunctionsBackup.Repository.Keys;

namespace FunctionsBackup.Tests.Repository.Keys;

/// <summary>A key service in memory; the real ones have tests of their own.</summary>
internal sealed class FakeKeyService : IKeyService
{
    private readonly byte[] _mask = SampleData.Random(32, 77);
    private int _version;

    public string SlotKind => KeySlot.KmsKind;

    public string Key => "fake:key";

    /// <summary>Which versions are refused.</summary>
    public Func<string, bool> Refuse { get; set; } = _ => false;

    public bool Owns(string key) => key.StartsWith(Key + "/", StringComparison.Ordinal);

    public ValueTask<WrappedKey> WrapAsync(SecretBytes plaintext, KeyBinding binding, CancellationToken cancellationToken) =>
        ValueTask.FromResult(new WrappedKey($"{Key}/{++_version}", "MASK", Mask(plaintext.Span)));

    public ValueTask<SecretBytes> UnwrapAsync(WrappedKey wrapped, KeyBinding binding, CancellationToken cancellationToken) => Refuse(wrapped.Key)
        ? throw new KeyServiceException($"The key {wrapped.Key} is disabled: enable it.")
        : ValueTask.FromResult(SecretBytes.Copy(Mask(wrapped.Bytes.Span)));

    public void Dispose()
    {
    }

    private byte[] Mask(ReadOnlySpan<byte> bytes)
    {
        var masked = bytes.ToArray();
        for (var i = 0; i < masked.Length; i++) masked[i] ^= _mask[i % _mask.Length];
        return masked;
    }
}
