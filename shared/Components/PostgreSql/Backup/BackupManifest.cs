using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace FunctionsBackup.Components.PostgreSql.Backup;

/// <summary>
/// Writes the manifest of an earlier backup (PostgreSQL manual, chapter 77) from its catalog, for UPLOAD_MANIFEST: the server takes from it
/// which files that backup has, and from where in the WAL on it must look for changes. So a backup taken in either mode can be built upon.
/// </summary>
internal static class BackupManifest
{
    public const string FileName = "backup_manifest";

    public static byte[] Write(ParentCatalog parent)
    {
        var details = parent.Details;
        var text = new ArrayBufferWriter<byte>(1 << 20);
        Append($"{{ \"PostgreSQL-Backup-Manifest-Version\": 2,\n\"System-Identifier\": {details.SystemIdentifier},\n\"Files\": [");
        var separator = "\n";
        foreach (var (path, entry) in parent.Files.OrderBy(file => file.Key, StringComparer.Ordinal))
        {
            var name = path.StartsWith("pgdata/", StringComparison.Ordinal) ? path["pgdata/".Length..] : path;
            var modified = DateTimeOffset.UnixEpoch.AddTicks(entry.ModifiedNanoseconds / 100).ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);
            Append($"{separator}{{ \"Path\": {JsonSerializer.Serialize(name)}, \"Size\": {entry.Content!.Size}, \"Last-Modified\": \"{modified} GMT\" }}");
            separator = ",\n";
        }

        Append($"\n],\n\"WAL-Ranges\": [\n{{ \"Timeline\": {details.Timeline}, \"Start-LSN\": \"{details.StartLsn}\", \"End-LSN\": \"{details.StopLsn}\" }}\n],\n");
        // The checksum covers everything before its own line.
        var checksum = Convert.ToHexStringLower(SHA256.HashData(text.WrittenSpan));
        Append($"\"Manifest-Checksum\": \"{checksum}\"}}\n");
        return text.WrittenSpan.ToArray();

        void Append(FormattableString part) => text.Write(Encoding.UTF8.GetBytes(part.ToString(CultureInfo.InvariantCulture)));
    }
}
