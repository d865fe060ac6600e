using System.Buffers.Binary;
using System.Security.Cryptography;

namespace FunctionsBackup.Components.Layers;

/// <summary>The digest of the whole (FORMAT.md): over each group its number and the sorted digests of its records. Groups must come in order.</summary>
internal sealed class ContentDigest : IDisposable
{
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly List<UInt128> _group = [];
    private ulong _number;

    /// <summary>One record; those of a group in any order.</summary>
    public void Add(ulong number, ReadOnlySpan<byte> digest)
    {
        if (number != _number) Close();
        _number = number;
        _group.Add(BinaryPrimitives.ReadUInt128BigEndian(digest));
    }

    /// <summary>In lower-case hex; begins anew.</summary>
    public string Complete()
    {
        Close();
        return Convert.ToHexStringLower(_hash.GetHashAndReset());
    }

    public void Dispose() => _hash.Dispose();

    private void Close()
    {
        _group.Sort();
        Span<byte> bytes = stackalloc byte[8 + LayerFormat.DigestSize];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, _number);
        foreach (var digest in _group)
        {
            BinaryPrimitives.WriteUInt128BigEndian(bytes[8..], digest);
            _hash.AppendData(bytes);
        }

        _group.Clear();
    }
}
