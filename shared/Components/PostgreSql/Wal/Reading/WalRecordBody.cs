using System.Buffers.Binary;
using System.Text;

namespace FunctionsBackup.Components.PostgreSql.Wal.Reading;

/// <summary>
/// Decodes the few record bodies that recovery targets depend on (xlogrecord.h, xact.h, pg_control.h, xlog_internal.h; PostgreSQL 13–17).
/// A body that is not as expected yields nothing: its CRC was right, so it is only of a kind not known here.
/// </summary>
public static class WalRecordBody
{
    public const byte XlogManager = 0;
    public const byte TransactionManager = 1;

    private const byte CheckpointShutdown = 0x00, CheckpointOnline = 0x10, Switch = 0x40, RestorePoint = 0x70, EndOfRecovery = 0x90;
    private const byte Commit = 0x00, Abort = 0x20, CommitPrepared = 0x30, AbortPrepared = 0x40;
    private const byte OperationMask = 0x70, HasInfo = 0x80;
    private const int RestorePointNameSize = 64;
    private const long UnixEpochSeconds = 946_684_800; // 2000-01-01, PostgreSQL's epoch

    /// <summary>Whether this record makes the rest of the segment empty.</summary>
    public static bool IsSwitch(byte manager, byte info) => manager == XlogManager && (info & 0xF0) == Switch;

    /// <summary>Whether <see cref="Decode"/> could have something to tell of such a record.</summary>
    public static bool IsInteresting(byte manager, byte info) => manager switch
    {
        XlogManager => (info & 0xF0) is CheckpointShutdown or CheckpointOnline or RestorePoint or EndOfRecovery,
        TransactionManager => (info & OperationMask) is Commit or Abort or CommitPrepared or AbortPrepared,
        _ => false,
    };

    /// <param name="manager">xl_rmid.</param>
    /// <param name="info">xl_info.</param>
    /// <param name="xid">xl_xid.</param>
    /// <param name="start">Where the record begins.</param>
    /// <param name="end">Where the next one may begin.</param>
    /// <param name="body">All behind the record header.</param>
    /// <param name="visitor">Is told.</param>
    public static void Decode(byte manager, byte info, uint xid, Lsn start, Lsn end, ReadOnlySpan<byte> body, IWalVisitor visitor)
    {
        if (!TryMainData(body, out var data)) return;
        if (manager == TransactionManager)
        {
            DecodeTransaction(info, xid, start, end, data, visitor);
            return;
        }

        switch (info & 0xF0)
        {
            case CheckpointShutdown or CheckpointOnline when data.Length >= 72:
                visitor.OnCheckpoint(new WalCheckpoint(
                    start, end, new Lsn(U64(data)), U32(data[8..]), U32(data[12..]), FromUnix((long)U64(data[64..])),
                    (info & 0xF0) == CheckpointShutdown));
                break;
            case RestorePoint when data.Length >= 8 + RestorePointNameSize:
                var name = data.Slice(8, RestorePointNameSize);
                var length = name.IndexOf((byte)0);
                visitor.OnRestorePoint(new WalRestorePoint(
                    start, end, Encoding.UTF8.GetString(length < 0 ? name : name[..length]), FromTimestamp((long)U64(data))));
                break;
            case EndOfRecovery when data.Length >= 16:
                visitor.OnTimelineChange(
                    new WalTimelineChange(start, end, U32(data[8..]), U32(data[12..]), FromTimestamp((long)U64(data))));
                break;
        }
    }

    private static void DecodeTransaction(byte info, uint xid, Lsn start, Lsn end, ReadOnlySpan<byte> data, IWalVisitor visitor)
    {
        if (data.Length < 8) return;
        var operation = info & OperationMask;
        var time = FromTimestamp((long)U64(data));
        if (operation is CommitPrepared or AbortPrepared) xid = PreparedXid(data[8..], info) ?? xid;
        visitor.OnTransaction(new WalTransaction(start, end, xid, time, operation is Commit or CommitPrepared));
    }

    /// <summary>xl_xact_twophase stands behind all optional arrays; their order is that of ParseCommitRecord.</summary>
    private static uint? PreparedXid(ReadOnlySpan<byte> data, byte info)
    {
        const uint hasDatabase = 1, hasSubtransactions = 2, hasRelations = 4, hasInvalidations = 8, hasTwoPhase = 16, hasDroppedStats = 256;
        if ((info & HasInfo) == 0 || data.Length < 4) return null;
        var flags = U32(data);
        if ((flags & hasTwoPhase) == 0) return null;
        var at = 4L;
        if ((flags & hasDatabase) != 0) at += 8;
        if (!Skip(data, ref at, flags & hasSubtransactions, 4)) return null;
        if (!Skip(data, ref at, flags & hasRelations, 12)) return null;
        if (!Skip(data, ref at, flags & hasDroppedStats, 12)) return null;
        if (!Skip(data, ref at, flags & hasInvalidations, 16)) return null;
        return at + 4 <= data.Length ? U32(data[(int)at..]) : null;

        static bool Skip(ReadOnlySpan<byte> data, ref long at, uint present, int itemSize)
        {
            if (present == 0) return true;
            if (at + 4 > data.Length) return false;
            at += 4 + ((long)U32(data[(int)at..]) * itemSize);
            return at <= data.Length;
        }
    }

    /// <summary>Finds the main data of a record without block references.</summary>
    private static bool TryMainData(ReadOnlySpan<byte> body, out ReadOnlySpan<byte> data)
    {
        const byte shortData = 255, longData = 254, origin = 253, topLevelXid = 252;
        data = default;
        while (body.Length >= 2)
        {
            switch (body[0])
            {
                case shortData:
                    return Take(body[2..], body[1], out data);
                case longData when body.Length >= 5:
                    return Take(body[5..], U32(body[1..]), out data);
                case origin when body.Length >= 3:
                    body = body[3..];
                    break;
                case topLevelXid when body.Length >= 5:
                    body = body[5..];
                    break;
                default:
                    return false;
            }
        }

        return false;

        static bool Take(ReadOnlySpan<byte> rest, uint length, out ReadOnlySpan<byte> data)
        {
            data = length <= rest.Length ? rest[..(int)length] : default;
            return length <= rest.Length;
        }
    }

    /// <summary>A TimestampTz: microseconds since 2000-01-01 UTC; what no calendar holds is moved to its end.</summary>
    public static DateTimeOffset FromTimestamp(long microseconds)
    {
        const long minimum = -63_082_281_600_000_000, maximum = 252_455_615_999_999_999; // years 1 to 9999
        return new DateTimeOffset(2000, 1, 1, 0, 0, 0, TimeSpan.Zero).AddTicks(Math.Clamp(microseconds, minimum, maximum) * 10);
    }

    private static DateTimeOffset FromUnix(long seconds) =>
        FromTimestamp((Math.Clamp(seconds, -1_000_000_000_000, 1_000_000_000_000) - UnixEpochSeconds) * 1_000_000);

    private static uint U32(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadUInt32LittleEndian(bytes);

    private static ulong U64(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadUInt64LittleEndian(bytes);
}
