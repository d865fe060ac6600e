using System.Text.Json;
using System.Text.Json.Nodes;

namespace FunctionsBackup.Components.PostgreSql.Logical;

/// <summary>The <c>details</c> of a logical snapshot of PostgreSQL. Holds no secrets.</summary>
public sealed record LogicalBackupDetails
{
    public const string LogicalMode = "logical";

    public string Mode { get; set; } = LogicalMode;

    public int LogicalFormat { get; set; } = 1;

    /// <summary>Why it is not physical.</summary>
    public required string Reason { get; set; }

    /// <summary><c>server_version_num</c>.</summary>
    public int ServerVersion { get; set; }

    /// <summary>The first database's moment: nothing that was committed later is in it.</summary>
    public DateTimeOffset Time { get; set; }

    /// <summary>The last database's.</summary>
    public DateTimeOffset Until { get; set; }

    /// <summary>Whether passwords of roles were readable.</summary>
    public bool HasPasswords { get; set; }

    public IReadOnlyList<LogicalDatabaseSummary> Databases { get; set; } = [];

    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web);

    public JsonObject ToJson() => JsonSerializer.SerializeToNode(this, Options)!.AsObject();

    /// <summary>Null if they are not those of a logical snapshot that this version can read.</summary>
    public static LogicalBackupDetails? FromJson(JsonObject? details)
    {
        try
        {
            return details?["mode"]?.GetValue<string>() == LogicalMode && details.Deserialize<LogicalBackupDetails>(Options) is { LogicalFormat: 1 } its ? its : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null;
        }
    }
}

/// <param name="Name">Of the database.</param>
/// <param name="Path">In the catalog.</param>
/// <param name="Tables">With rows of their own.</param>
/// <param name="Rows">Together.</param>
/// <param name="Bytes">Of the rows.</param>
/// <param name="Lsn">Where the WAL was.</param>
public sealed record LogicalDatabaseSummary(string Name, string Path, int Tables, long Rows, long Bytes, string? Lsn);
