using System.Globalization;

namespace FunctionsBackup.Components.PostgreSql.Backup;

/// <summary>What a backup must know of the cluster.</summary>
/// <param name="SystemIdentifier">Decimal.</param>
/// <param name="ServerVersion"><c>server_version_num</c>.</param>
/// <param name="WalSegmentSize">Bytes.</param>
/// <param name="BlockSize">Bytes per page.</param>
/// <param name="SegmentBlocks">Pages per file of a relation.</param>
/// <param name="DataChecksums">Whether pages have checksums.</param>
public sealed record ClusterFacts(
    string SystemIdentifier, int ServerVersion, int WalSegmentSize, int BlockSize, uint SegmentBlocks, bool DataChecksums)
{
    private const int Oldest = 130000;

    /// <summary>Returns these facts if they are possible ones of a supported server.</summary>
    /// <exception cref="PostgresBackupException">They are not.</exception>
    public ClusterFacts Check()
    {
        if (ServerVersion < Oldest)
            throw new PostgresBackupException($"PostgreSQL {ServerVersion / 10000} is too old; versions from 13 on can be backed up.");
        if (BlockSize is < 1024 or > 32768 || !int.IsPow2(BlockSize) || SegmentBlocks == 0 || WalSegmentSize is < 1 << 20 or > 1 << 30
            || !int.IsPow2(WalSegmentSize) || !ulong.TryParse(SystemIdentifier, NumberStyles.None, CultureInfo.InvariantCulture, out _))
            throw new PostgresBackupException("The server reports sizes that no PostgreSQL server has.");
        return this;
    }

    /// <summary>Reads a size as SHOW prints it: <c>16MB</c>, <c>1GB</c>, <c>8192</c>, bytes without a unit.</summary>
    /// <exception cref="PostgresBackupException">It is not one.</exception>
    public static long ParseSize(string text)
    {
        var digits = text.AsSpan().TrimEnd("kMGTB");
        var shift = text[digits.Length..] switch { "" or "B" => 0, "kB" => 10, "MB" => 20, "GB" => 30, "TB" => 40, _ => -1 };
        return shift >= 0 && long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value <= long.MaxValue >> 41
            ? value << shift
            : throw new PostgresBackupException($"The server reports a size that cannot be read ('{text}').");
    }
}
