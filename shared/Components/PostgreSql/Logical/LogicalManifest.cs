using System.Text.Json;

namespace FunctionsBackup.Components.PostgreSql.Logical;

/// <summary>What a logical backup holds of one database (<c>databases/N/manifest.json</c>, FORMAT.md).</summary>
public sealed record LogicalDatabase
{
    public required string Name { get; set; }

    public string Owner { get; set; } = "";

    /// <summary>As <c>UTF8</c>.</summary>
    public string Encoding { get; set; } = "";

    public string Collate { get; set; } = "";

    public string CharacterType { get; set; } = "";

    /// <summary><c>c</c>, <c>i</c> or <c>b</c> (<c>pg_database.datlocprovider</c>).</summary>
    public string Provider { get; set; } = "c";

    /// <summary>Of the providers i and b.</summary>
    public string? Locale { get; set; }

    /// <summary>The moment of its snapshot, by the server's clock.</summary>
    public DateTimeOffset Time { get; set; }

    /// <summary>Where the WAL was then; null on a standby.</summary>
    public string? Lsn { get; set; }

    public List<LogicalTable> Tables { get; set; } = [];

    public List<LogicalSequence> Sequences { get; set; } = [];

    public List<LogicalLargeObject> LargeObjects { get; set; } = [];

    /// <summary>That were filled: quoted names.</summary>
    public List<string> MaterializedViews { get; set; } = [];

    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    internal byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this, Options);

    /// <exception cref="JsonException">It is none.</exception>
    internal static LogicalDatabase FromBytes(ReadOnlySpan<byte> bytes) =>
        JsonSerializer.Deserialize<LogicalDatabase>(bytes, Options) ?? throw new JsonException("It is empty.");
}

/// <summary>One table with rows of its own.</summary>
public sealed record LogicalTable
{
    public required string Schema { get; set; }

    public required string Name { get; set; }

    /// <summary>Of the columns that are kept: quoted names, in order. Generated ones are not.</summary>
    public List<string> Columns { get; set; } = [];

    /// <summary>Their types, as the server writes them.</summary>
    public List<string> Types { get; set; } = [];

    /// <summary>Rows as text: some column's type has no binary form.</summary>
    public bool IsText { get; set; }

    /// <summary>Of a table of an extension: which rows are the user's; empty: all.</summary>
    public string Filter { get; set; } = "";

    public long Rows { get; set; }

    /// <summary>Bytes of the rows.</summary>
    public long Bytes { get; set; }

    /// <summary>Stretches of blocks, in order.</summary>
    public List<LogicalSlice> Slices { get; set; } = [];

    /// <summary>Schema and name, quoted.</summary>
    internal string Quoted => $"{Quote(Schema)}.{Quote(Name)}";

    internal static string Quote(string name) => $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}

/// <summary>The rows of some blocks of a table, as layers.</summary>
public sealed record LogicalSlice
{
    /// <summary>The oldest first.</summary>
    public List<LogicalLayer> Layers { get; set; } = [];

    public ulong CutMask { get; set; }

    public long Rows { get; set; }

    /// <summary>SHA-256 over numbers and digests of all rows.</summary>
    public string Digest { get; set; } = "";
}

/// <param name="Name">Its files in the catalog end so.</param>
/// <param name="Rows">That it has.</param>
/// <param name="Tombstones">Groups that it removes.</param>
/// <param name="Bytes">Of its records.</param>
public sealed record LogicalLayer(string Name, long Rows, long Tombstones, long Bytes);

/// <param name="Name">Schema and name, quoted.</param>
/// <param name="Value">The last value; null: it was never used.</param>
/// <param name="IsCalled">Whether it was given out.</param>
public sealed record LogicalSequence(string Name, long? Value, bool IsCalled);

/// <param name="Oid">Stays.</param>
/// <param name="Owner">Name of a role.</param>
/// <param name="Grants">Statements.</param>
public sealed record LogicalLargeObject(uint Oid, string Owner, List<string> Grants);
