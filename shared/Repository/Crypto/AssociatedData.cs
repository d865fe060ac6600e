using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace FunctionsBackup.Repository.Crypto;

/// <summary>
/// What a ciphertext is bound to, so that it opens only as the thing and in the place it was written for: fields one after another,
/// each a 2-byte little-endian length and its bytes, which no other list of fields can produce.
/// </summary>
internal sealed class AssociatedData
{
    private readonly ArrayBufferWriter<byte> _bytes = new();

    /// <param name="kind">What is sealed: <c>key slot</c>, <c>sealed object</c>, …</param>
    /// <param name="version">The version of that kind's format.</param>
    /// <param name="repositoryId">32 hex digits.</param>
    /// <param name="objectName">The object it is kept in.</param>
    public AssociatedData(string kind, int version, string repositoryId, string objectName) =>
        Add("FunctionsBackup").Add(kind).Add(version).Add(repositoryId).Add(objectName);

    public AssociatedData Add(string field) => Add(Encoding.UTF8.GetBytes(field));

    public AssociatedData Add(int field)
    {
        Span<byte> bytes = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, field);
        return Add(bytes);
    }

    public AssociatedData Add(ReadOnlySpan<byte> field)
    {
        Span<byte> length = stackalloc byte[sizeof(ushort)];
        BinaryPrimitives.WriteUInt16LittleEndian(length, checked((ushort)field.Length));
        _bytes.Write(length);
        _bytes.Write(field);
        return this;
    }

    public byte[] ToArray() => _bytes.WrittenSpan.ToArray();
}
