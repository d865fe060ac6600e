namespace FunctionsBackup.Components.Redis.Rdb;

/// <summary>Numbers of the RDB format (rdb.h of Redis 8 and Valkey 9).</summary>
public static class RdbTypes
{
    public const byte String = 0, List = 1, Set = 2, SortedSet = 3, Hash = 4, SortedSet2 = 5, Module2 = 7;

    public const byte HashZipmap = 9, ListZiplist = 10, SetIntset = 11, SortedSetZiplist = 12, HashZiplist = 13, ListQuicklist = 14, Stream = 15,
        HashListpack = 16, SortedSetListpack = 17, ListQuicklist2 = 18, Stream2 = 19, SetListpack = 20, Stream3 = 21;

    /// <summary>Hashes with fields that expire: Redis 7.4 and later. In an RDB of Valkey, 22 is another form.</summary>
    public const byte HashMetadataEarly = 22, HashListpackExpiryEarly = 23, HashMetadata = 24, HashListpackExpiry = 25, ValkeyHash2 = 22;

    internal const byte SlotImport = 243, SlotInfo = 244, Function2 = 245, FunctionEarly = 246, ModuleAux = 247, Idle = 248, Frequency = 249, Aux = 250, ResizeDb = 251,
        ExpireTimeMs = 252, ExpireTime = 253, SelectDb = 254, End = 255;

    /// <summary>The RDB version from which a server knows the type: one that writes an older version cannot restore it.</summary>
    public static int SinceVersion(byte type) => type switch
    {
        <= HashZiplist => 6,
        ListQuicklist => 7,
        Stream => 9,
        <= Stream2 => 10,
        <= Stream3 => 11,
        _ => 12,
    };
}
