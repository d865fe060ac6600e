using FunctionsBackup.Components.PostgreSql.Pages;

namespace FunctionsBackup.Components.PostgreSql.Backup;

/// <summary>
/// Which blocks of which relations the WAL between two backups touched, in units of whole chunks. Only main forks are kept: the free space
/// map is not fully WAL-logged, and the small other forks are always read (basebackup_incremental.c, GetFileBackupMethod).
/// </summary>
/// <param name="pagesPerChunk">Pages per stored chunk.</param>
internal sealed class ChangedBlocks(int pagesPerChunk)
{
    private readonly Dictionary<(uint Tablespace, uint Database, uint Number), Relation> _relations = [];
    private readonly HashSet<(uint Tablespace, uint Database)> _newDatabases = [];

    /// <summary>Adds one row of pg_wal_summary_contents.</summary>
    public void Add(uint tablespace, uint database, uint number, int fork, long block, bool isLimit)
    {
        if (block is < 0 or > uint.MaxValue) throw new PostgresBackupException("A WAL summary names a block that cannot exist.");
        if (number == 0)
        {
            // The database itself was made or moved here by copying its files, without a word about their blocks.
            _newDatabases.Add((tablespace, database));
            return;
        }

        if (fork != (int)RelationFork.Main) return;
        var key = (tablespace, database, number);
        if (!_relations.TryGetValue(key, out var relation)) _relations.Add(key, relation = new Relation());
        if (isLimit) relation.Limit = Math.Min(relation.Limit, (uint)block);
        else relation.Chunks.Add((uint)block / (uint)pagesPerChunk);
    }

    /// <summary>What is known of a file, or null if all of it must be read.</summary>
    /// <param name="file">The relation's file.</param>
    /// <param name="firstBlock">Number of its first block within the relation.</param>
    public FileChanges? Find(RelationFile file, uint firstBlock)
    {
        if (file.Fork != RelationFork.Main || _newDatabases.Contains((file.Tablespace, file.Database))) return null;
        if (!_relations.TryGetValue((file.Tablespace, file.Database, file.Number), out var relation))
            return new FileChanges(null, uint.MaxValue, firstBlock, pagesPerChunk);
        return relation.Limit <= firstBlock ? null : new FileChanges(relation.Chunks, relation.Limit, firstBlock, pagesPerChunk);
    }

    private sealed class Relation
    {
        /// <summary>The relation was cut to this many blocks (0: made anew); what an earlier backup has from there on is not its content.</summary>
        public uint Limit { get; set; } = uint.MaxValue;

        public HashSet<uint> Chunks { get; } = [];
    }
}

/// <summary>Which chunks of one file must be read.</summary>
internal sealed class FileChanges(HashSet<uint>? chunks, uint limit, uint firstBlock, int pagesPerChunk)
{
    /// <summary>Whether nothing of the file needs reading as long as its size is the same.</summary>
    public bool IsUnchanged => chunks is null;

    /// <summary>Whether the chunk, counted from the file's start, may differ from the earlier backup's.</summary>
    public bool IsChanged(long chunk)
    {
        var first = firstBlock + (chunk * pagesPerChunk);
        return chunks is not null && (first + pagesPerChunk > limit || chunks.Contains((uint)(first / pagesPerChunk)));
    }
}
