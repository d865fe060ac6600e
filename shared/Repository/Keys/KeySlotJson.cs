using System.Security.Cryptography;
using FunctionsBackup.Repository.Crypto;

namespace FunctionsBackup.Repository.Keys;

/// <summary>How a key slot is written (FORMAT.md §3.3).</summary>
internal static class KeySlotJson
{
    public const int Version = 1;

    private const string Magic = "FunctionsBackup key slot";
    private const int MaximumServiceKey = 2048;
    private const int MaximumAlgorithm = 64;
    private const int MaximumWrapped = 8 << 10;

    /// <exception cref="InvalidDataException">It is not a slot that this program can use; says why.</exception>
    public static KeySlot Parse(string id, ReadOnlyMemory<byte> bytes)
    {
        if (bytes.IsEmpty) throw new InvalidDataException("it is empty (0 bytes)");
        if (bytes.Length > JsonFields.MaximumLength) throw new InvalidDataException("it is far too large");
        var fields = JsonFields.Parse(bytes, Magic);
        var version = fields.Number("version");
        if (version != Version) throw new InvalidDataException($"it has version {version}, this program knows {Version}");
        var kind = fields.String("kind");
        var isService = KeySlot.IsServiceKind(kind);
        if (!isService && kind is not (KeySlot.PassphraseKind or KeySlot.RecoveryKind or KeySlot.ClearKind))
            throw new InvalidDataException("its kind is not known to this program");
        if (isService) fields.HasOnly("magic", "version", "kind", "label", "created", "service", "salt", "key", "check");
        else fields.HasOnly("magic", "version", "kind", "label", "created", "scrypt", "salt", "key", "check");
        var label = fields.String("label");
        if (label.Length > KeySlot.MaximumLabel) throw new InvalidDataException("its field label is malformed");
        var scrypt = default(ScryptParameters);
        if (kind == KeySlot.PassphraseKind)
        {
            var cost = fields.Object("scrypt");
            scrypt = new(cost.Number("N"), cost.Number("r"), cost.Number("p"));
            if (!scrypt.IsValid) throw new InvalidDataException("its scrypt parameters are out of bounds");
        }

        var keySize = KeyDerivation.KeySize + (kind == KeySlot.ClearKind ? 0 : AesGcmBox.Overhead);
        var slot = KeySlot.Of(
            id, kind, label, fields.Time("created"), scrypt, isService ? ParseService(fields.Object("service")) : null,
            fields.Bytes("salt", KeySlot.SaltSize), fields.Bytes("key", keySize));
        // Slots of services had it from the start.
        if ((isService || fields.Has("check")) && !fields.Bytes("check", SHA256.HashSizeInBytes).AsSpan().SequenceEqual(Check(slot)))
            throw new InvalidDataException("its fields do not have the checksum that they should have");
        return slot;
    }

    /// <summary>The slot as an indented JSON object.</summary>
    public static byte[] Write(KeySlot slot) => KeyObjects.Json(json =>
    {
        json.WriteString("magic", Magic);
        json.WriteNumber("version", Version);
        json.WriteString("kind", slot.Kind);
        json.WriteString("label", slot.Label);
        json.WriteString("created", slot.CreatedAt.ToString("O"));
        if (slot.Kind == KeySlot.PassphraseKind)
        {
            json.WriteStartObject("scrypt");
            json.WriteNumber("N", slot.Scrypt.N);
            json.WriteNumber("r", slot.Scrypt.R);
            json.WriteNumber("p", slot.Scrypt.P);
            json.WriteEndObject();
        }

        if (slot.Service is { } service)
        {
            json.WriteStartObject("service");
            json.WriteString("key", service.Key);
            json.WriteString("algorithm", service.Algorithm);
            json.WriteBase64String("wrapped", service.Bytes.Span);
            json.WriteEndObject();
        }

        json.WriteBase64String("salt", slot.Salt);
        json.WriteBase64String("key", slot.Key);
        json.WriteBase64String("check", Check(slot));
    });

    private static WrappedKey ParseService(JsonFields fields)
    {
        fields.HasOnly("key", "algorithm", "wrapped");
        var service = new WrappedKey(fields.String("key"), fields.String("algorithm"), fields.BytesUpTo("wrapped", MaximumWrapped));
        if (service.Key.Length is 0 or > MaximumServiceKey || service.Key.Any(char.IsControl))
            throw new InvalidDataException("its service's key is malformed");
        if (service.Algorithm.Length is 0 or > MaximumAlgorithm || service.Algorithm.Any(char.IsControl))
            throw new InvalidDataException("its service's algorithm is malformed");
        return service;
    }

    /// <summary>SHA-256 of all fields: shows decay of a slot long before it is needed. Who changes a slot on purpose can change it too.</summary>
    private static byte[] Check(KeySlot slot)
    {
        var fields = new AssociatedData("key slot check", Version, "", slot.Id)
            .Add(slot.Kind).Add(slot.Label).Add(slot.CreatedAt.ToString("O")).Add(slot.Scrypt.N).Add(slot.Scrypt.R).Add(slot.Scrypt.P)
            .Add(Convert.ToBase64String(slot.Salt)).Add(Convert.ToBase64String(slot.Key));
        if (slot.Service is { } service)
            fields.Add(service.Key).Add(service.Algorithm).Add(Convert.ToBase64String(service.Bytes.Span));
        return SHA256.HashData(fields.ToArray());
    }
}
